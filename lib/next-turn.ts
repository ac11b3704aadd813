/** Lets timers and sockets have their turn of the event loop between two pieces of synchronous work. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
