/** What the promise comes to, unless that takes longer than `limit` milliseconds. @throws what `late` makes then; the promise goes on */
export function within<T>(promise: Promise<T>, limit: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
