import { digestReference, type ImageName, tagReference } from '../oci/reference.ts';
import type { NotVouched, SignedTarget, SignedTargets, Unknown } from './authority.ts';
import { findRule, type Rule } from './rule.ts';
import { DEFAULT_RETRY_AFTER, type Undetermined, undetermined } from './verdict.ts';

/** Where to look for what is signed in a repository. It admits nothing: what is found there is judged in the ordinary way. */
export interface SignedList {
  /** Changes whenever the trusted metadata of an authority does. */
  readonly version: string;
  /** The likeliest to be asked for first, rule by rule. A tag may come twice. Made as it is read. */
  readonly targets: Iterable<SignedTarget>;
  /** An authority whose names are missing since it could not be asked: what is not found may be signed all the same. */
  readonly unknown: Undetermined | undefined;
}

/** What the resolving authorities that one rule requires answered. */
export interface RuleNames {
  readonly rule: Rule;
  readonly answers: readonly { readonly authority: string; readonly names: SignedTargets | NotVouched | Unknown }[];
}

/** Of the names, those for which the rule that required the authority is the first that covers them. */
export function signedList(rules: readonly Rule[], name: ImageName, asked: readonly RuleNames[]): SignedList {
  const lists = asked.flatMap((names) => listsOf(names).map((list) => ({ rule: names.rule, ...list })));
  return {
    version: lists.map(({ rule, authority, names }) => `${rule.id} ${authority} ${names.stateVersion}`).join('\n'),
    targets: { [Symbol.iterator]: () => ownTargets(rules, name, lists) },
    unknown: asked.map(unknownOf).find((unknown) => unknown !== undefined),
  };
}

interface List {
  readonly authority: string;
  readonly names: SignedTargets;
}

/** Where all must agree, any one of them names everything that can be admitted. */
function listsOf({ rule, answers }: RuleNames): readonly List[] {
  const lists = answers.filter((answer): answer is List => answer.names.outcome === 'listed');
  return rule.require?.kind === 'any' ? lists : lists.slice(0, 1);
}

function unknownOf({ rule, answers }: RuleNames): Undetermined | undefined {
  if (rule.require?.kind !== 'any' && answers.some(({ names }) => names.outcome !== 'undetermined')) return undefined;
  for (const { authority, names } of answers) {
    if (names.outcome !== 'undetermined') continue;
    const { reason, message, evidence, retryAfter = DEFAULT_RETRY_AFTER } = names;
    return undetermined(reason, message, { rule: rule.id, authority, evidence, retryAfter });
  }
  return undefined;
}

function* ownTargets(
  rules: readonly Rule[],
  name: ImageName,
  lists: readonly (List & { readonly rule: Rule })[],
): Generator<SignedTarget> {
  for (const { rule, names } of lists) {
    for (const target of names.targets) {
      const reference = target.tag === undefined ? digestReference(target.digest) : tagReference(target.tag);
      if (findRule(rules, name, reference) === rule) yield target;
    }
  }
}
