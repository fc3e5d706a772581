// index - what a user gets.
import { XSocketsClient } from './client.js';
import { ServerError, XSocketsError } from './errors.js';
import type { Client as ClientInterface, ClientEvents, ClientOptions, ConnectOptions } from './types.js';

export type * from './types.js';
export { ServerError, XSocketsError };

export type Client = ClientInterface;
/** Does nothing until `open()`. */
export const Client: new (url: string | URL, options?: ClientOptions) => ClientInterface = XSocketsClient as never;

/** A client that is open. Rejects when the first attempt fails; later ones are made by themselves. */
export function connect(url: string | URL, options: ConnectOptions = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) return reject(signal.reason);
    const client = new Client(url, options);
    const give = (error: unknown): void => {
      over();
      void client.close();
      reject(error);
    };
    const aborted = (): void => give(signal!.reason);
    const failed = ({ detail: { code, reason, error } }: ClientEvents['reconnecting']): void =>
      give(new XSocketsError('failed', `No connection: ${reason || error?.message || `closed with ${code}`}`, error));
    const over = (): void => {
      signal?.removeEventListener('abort', aborted);
      client.removeEventListener('reconnecting', failed);
    };
    signal?.addEventListener('abort', aborted);
    client.addEventListener('reconnecting', failed);
    client.open().then(() => { over(); resolve(client); }, (error: unknown) => { over(); reject(error); });
  });
}
