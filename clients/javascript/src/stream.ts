// stream - a topic as something to loop over, with a bounded buffer between.
import { XSocketsError } from './errors.js';
import type { Message, MessageStream, Overflow } from './types.js';

type Result = IteratorResult<Message>;
const DONE: Result = { done: true, value: undefined };

export class Stream implements MessageStream {
  readonly #limit: number;
  readonly #overflow: Overflow;
  #leave: (() => void) | undefined; // stops listening
  #buffer: Message[] = [];
  #readers: { resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  #ended = false;
  #error: unknown; // told to the reader behind the last message
  #dropped = 0;

  constructor(limit: number, overflow: Overflow) {
    this.#limit = Math.max(limit, 1);
    this.#overflow = overflow;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get size(): number {
    return this.#buffer.length;
  }

  /** `leave` is called once, when the stream ends. */
  begin(leave: () => void): void {
    if (this.#ended) leave();
    else this.#leave = leave;
  }

  push(message: Message): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: message });
    if (this.#buffer.length < this.#limit) return void this.#buffer.push(message);
    this.#dropped++;
    if (this.#overflow === 'error') return this.end(new XSocketsError('overflow', 'The stream was not read fast enough'));
    if (this.#overflow === 'drop-newest') return;
    this.#buffer.shift();
    this.#buffer.push(message);
  }

  /** What waits can still be read. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
    this.#leave?.();
    this.#leave = undefined;
  }

  close(): void {
    this.#buffer = [];
    this.end();
    this.#error = undefined;
  }

  next(): Promise<Result> {
    const message = this.#buffer.shift();
    if (message) return Promise.resolve({ done: false, value: message });
    if (!this.#ended) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
