/**
 * What a listener is to its clients. `registry`: asked because the client's settings name it. `mirror`: asked first, by clients
 * that go on to the registry itself unless the answer makes them stop. The configuration says which, never a request.
 */
export type ListenerRole = 'registry' | 'mirror';
