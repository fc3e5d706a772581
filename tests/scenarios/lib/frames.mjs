// frames - RFC 6455 section 5 in both directions, written apart from the product.
import crypto from 'node:crypto';
import zlib from 'node:zlib';

export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

// The accept value of section 4.2.2.
export function acceptOf(key) {
    return crypto.createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

// length: 'short' (the shortest form), 16 or 64 to force a longer one; announce: a length other than the payload's.
export function encode({ opcode = TEXT, payload = '', fin = true, rsv = 0, mask = true,
                         key = crypto.randomBytes(4), length = 'short', announce }) {
    const body = Buffer.from(payload);
    const size = BigInt(announce ?? body.length);
    const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
    const bit = mask ? 0x80 : 0;
    let head;
    if (length === 'short' && size < 126n) {
        head = Buffer.from([first, bit | Number(size)]);
    } else if (length === 16 || (length === 'short' && size < 65536n)) {
        head = Buffer.from([first, bit | 126, 0, 0]);
        head.writeUInt16BE(Number(size), 2);
    } else {
        head = Buffer.from([first, bit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
        head.writeBigUInt64BE(BigInt.asUintN(64, size), 2);
    }
    if (!mask) return Buffer.concat([head, body]);
    const masked = Buffer.from(body);
    for (let i = 0; i < masked.length; i++) masked[i] ^= key[i & 3];
    return Buffer.concat([head, key, masked]);
}

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

// RFC 7692 section 7.2.1: deflate, flushed, without the last four bytes.
export function pack(payload, options = {}) {
    const bytes = zlib.deflateRawSync(Buffer.from(payload), { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
    return bytes.subarray(0, -TAIL.length);
}

export function unpack(bytes, options = {}) {
    return zlib.inflateRawSync(Buffer.concat([bytes, TAIL]), { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
}

export function closePayload(code, reason = '') {
    const text = Buffer.from(reason);
    const bytes = Buffer.alloc(2 + text.length);
    bytes.writeUInt16BE(code, 0);
    text.copy(bytes, 2);
    return bytes;
}

// Takes one frame from the front: { frame, rest } or null when it is not whole yet. The payload comes unmasked.
export function decode(bytes) {
    if (bytes.length < 2) return null;
    const masked = (bytes[1] & 0x80) !== 0;
    let size = bytes[1] & 0x7f, at = 2, form = 7;
    if (size === 126) {
        if (bytes.length < 4) return null;
        size = bytes.readUInt16BE(2), at = 4, form = 16;
    } else if (size === 127) {
        if (bytes.length < 10) return null;
        size = Number(bytes.readBigUInt64BE(2)), at = 10, form = 64;
    }
    const key = masked ? bytes.subarray(at, at + 4) : null;
    if (masked) at += 4;
    if (bytes.length < at + size) return null;
    const payload = Buffer.from(bytes.subarray(at, at + size));
    if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= key[i & 3];
    return {
        frame: { fin: (bytes[0] & 0x80) !== 0, rsv: (bytes[0] >> 4) & 7, opcode: bytes[0] & 15, masked, form, payload },
        rest: bytes.subarray(at + size),
    };
}
