/** Nothing new may be relied on, because it could not be made to outlive a crash. */
export class StateUnwritable extends Error {
  override readonly name = 'StateUnwritable';
}
