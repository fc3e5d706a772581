import { ServerError, XSocketsError } from './errors.js';
import type { Client as ClientInterface, ClientOptions, ConnectOptions } from './types.js';
export type * from './types.js';
export { ServerError, XSocketsError };
export type Client = ClientInterface;
/** Does nothing until `open()`. */
export declare const Client: new (url: string | URL, options?: ClientOptions) => ClientInterface;
/** A client that is open. Rejects when the first attempt fails; later ones are made by themselves. */
export declare function connect(url: string | URL, options?: ConnectOptions): Promise<Client>;
