// envelope - how a message travels with the subprotocol XSocketsNET.
//
// Text is {"C":controller,"T":topic,"D":a string that holds JSON,"N":number of the request}. Binary
// is 8 bytes with the length of the header, little endian, the header, which is such an envelope
// in pure ASCII, and the bytes.
import type { Bytes } from './types.js';

const LENGTH_SIZE = 8;

export interface Envelope {
  C: string;
  T: string;
  /** JSON text. */
  D: string;
  N: number | undefined;
  bytes: Uint8Array | undefined;
}

export type Payload = string | Uint8Array;

/** JSON text for D; what JSON does not know (undefined, a function) becomes null. */
export function toJson(data: unknown): string {
  return JSON.stringify(data) ?? 'null';
}

export function encode(C: string, T: string, D: string, N?: number, bytes?: Bytes): Payload {
  const text = JSON.stringify({ C, T, D, N });
  if (!bytes) return text;
  // What is no such thing, a Blob or a string, would silently become nothing.
  if (typeof bytes.byteLength !== 'number') throw new TypeError('bytes must be an ArrayBuffer or a view of one');
  const header = text.replace(/[\x7f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
  const blob = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
  const payload = new Uint8Array(LENGTH_SIZE + header.length + blob.length);
  new DataView(payload.buffer).setUint32(0, header.length, true);
  for (let i = 0; i < header.length; i++) payload[LENGTH_SIZE + i] = header.charCodeAt(i);
  payload.set(blob, LENGTH_SIZE + header.length);
  return payload;
}

/** What came from a socket, whatever it is. Throws a sentence about what is wrong with it. */
export function decode(payload: unknown): Envelope {
  if (typeof payload === 'string') return read(payload, undefined);
  if (ArrayBuffer.isView(payload))
    return split(new Uint8Array(payload.buffer as ArrayBuffer, payload.byteOffset, payload.byteLength));
  // By its length and not by its class: it may come from another realm, as in a frame or a test.
  if (typeof (payload as ArrayBuffer | undefined)?.byteLength === 'number')
    return split(new Uint8Array(payload as ArrayBuffer));
  throw new Error('neither text nor bytes');
}

function split(all: Uint8Array): Envelope {
  if (all.length < LENGTH_SIZE) throw new Error('too short for a binary message');
  const view = new DataView(all.buffer, all.byteOffset);
  const end = LENGTH_SIZE + view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || end > all.length) throw new Error('the header is longer than the message');
  return read(new TextDecoder('utf-8', { fatal: true }).decode(all.subarray(LENGTH_SIZE, end)), all.slice(end));
}

function read(text: string, bytes: Uint8Array | undefined): Envelope {
  const { C, T, D, N } = Object(JSON.parse(text)) as Record<string, unknown>;
  if (typeof C !== 'string' || typeof T !== 'string') throw new Error('C and T must be strings');
  // Without D or with another kind of it there is still an N to answer for: it fails when it is read.
  return { C, T, D: typeof D === 'string' ? D : '', N: typeof N === 'number' ? N : undefined, bytes };
}
