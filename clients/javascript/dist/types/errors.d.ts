import type { ErrorCode } from './types.js';
export declare class XSocketsError extends Error {
    readonly code: ErrorCode;
    constructor(code: ErrorCode, message: string, cause?: unknown);
}
/** An error of the server: `message` is its sentence. */
export declare class ServerError extends XSocketsError {
    /** '' if the fault belongs to no open controller. */
    readonly controller: string;
    /** All that the server said. */
    readonly data: unknown;
    constructor(controller: string, message: string, data: unknown);
}
/** A handler threw. That is nobody's fault but its own, so it goes where uncaught errors go. */
export declare function report(error: unknown): void;
