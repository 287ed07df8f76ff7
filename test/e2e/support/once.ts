/** Makes a thing when it is first asked for, and never again: what several tests of a file share, whichever runs first. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
