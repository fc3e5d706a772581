// outbox - what waits for a connection, in order, bounded in messages and bytes.
import type { Payload } from './envelope.js';
import { XSocketsError } from './errors.js';

export interface Outgoing {
  readonly controller: string;
  readonly payload: Payload;
  /** It was handed to a socket. From now on nobody knows whether the server got it. */
  written(): void;
  /** It never will be. */
  dropped?(): void;
}

export function sizeOf(payload: Payload): number {
  return typeof payload === 'string' ? new TextEncoder().encode(payload).length : payload.length;
}

export class Outbox {
  readonly #limit: { messages: number; bytes: number };
  #waiting = new Map<Outgoing, number>(); // in order, with their sizes
  #bytes = 0;

  constructor(limit: { messages: number; bytes: number }) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get first(): Outgoing | undefined {
    return this.#waiting.keys().next().value;
  }

  add(out: Outgoing): void {
    const size = sizeOf(out.payload);
    if (this.#waiting.size >= this.#limit.messages || this.#bytes + size > this.#limit.bytes) throw full();
    this.#waiting.set(out, size);
    this.#bytes += size;
  }

  delete(out: Outgoing): void {
    this.#bytes -= this.#waiting.get(out) ?? 0;
    this.#waiting.delete(out);
  }

  /** Drops what is for one controller, or all. */
  drop(controller?: string): void {
    for (const out of [...this.#waiting.keys()]) {
      if (controller !== undefined && out.controller !== controller) continue;
      this.delete(out);
      out.dropped?.();
    }
  }
}

export function full(): XSocketsError {
  return new XSocketsError('full', 'The outbox is full');
}
