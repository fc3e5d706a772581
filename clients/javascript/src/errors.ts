// errors - what promises reject with, told apart by `code`.
import type { ErrorCode } from './types.js';

export class XSocketsError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'XSocketsError';
    this.code = code;
  }
}

/** An error of the server: `message` is its sentence. */
export class ServerError extends XSocketsError {
  /** '' if the fault belongs to no open controller. */
  readonly controller: string;
  /** All that the server said. */
  readonly data: unknown;

  constructor(controller: string, message: string, data: unknown) {
    super('server', message);
    this.name = 'ServerError';
    this.controller = controller;
    this.data = data;
  }
}

/** A handler threw. That is nobody's fault but its own, so it goes where uncaught errors go. */
export function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else queueMicrotask(() => { throw error; });
}
