/** Runs a task every so many milliseconds until the function it returns is called. */
export type Schedule = (task: () => void, every: number) => () => void;

export function everyMilliseconds(task: () => void, every: number): () => void {
  const timer = setInterval(task, every);
  // Keeping trust fresh is no reason to keep a process alive.
  timer.unref();
  return () => clearInterval(timer);
}
