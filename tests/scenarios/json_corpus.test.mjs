// The scanner and JSON.parse agree on every text of the fuzz corpus, on its beginnings, and on the same
// texts inside a JSON string.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { binary, root } from './lib/daemon.mjs';

const driver = path.join(path.dirname(binary), 'tests/tools/json_driver');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function corpus() {
    const folder = path.join(root, 'tests/fuzz/corpus/scan');

    return fs.readdirSync(folder).sort().map((name) => fs.readFileSync(path.join(folder, name)));
}

function parses(text) {
    try {
        JSON.parse(text);
        return true;
    } catch {
        return false;
    }
}

// Bytes that are no UTF-8 are no JSON (RFC 8259 section 8.1); a browser never hands them to JSON.parse.
function isJson(bytes) {
    try {
        return parses(utf8.decode(bytes));
    } catch {
        return false;
    }
}

// What the driver says of [kind, bytes] pairs.
function judge(texts) {
    const input = texts.flatMap(([kind, bytes]) => {
        const head = Buffer.alloc(5);

        head.write(kind, 0);
        head.writeUInt32LE(bytes.length, 1);
        return [head, bytes];
    });
    const run = spawnSync(driver, { input: Buffer.concat(input), maxBuffer: 1 << 26 });

    assert.equal(run.status, 0, `${driver}: ${run.error ?? run.stderr}`);
    const lines = run.stdout.toString().split('\n').slice(0, -1);
    assert.equal(lines.length, texts.length);
    return lines.map((line) => line === '1');
}

function agree(texts, expected) {
    judge(texts).forEach((valid, i) => {
        assert.equal(valid, expected[i], `${texts[i][0]} ${JSON.stringify(texts[i][1].toString('latin1'))}`);
    });
}

test('every text of the corpus is judged as by JSON.parse', () => {
    const texts = corpus();

    assert.ok(texts.length >= 100);
    agree(texts.map((bytes) => ['p', bytes]), texts.map(isJson));
});

test('every beginning of a short text is judged as by JSON.parse', () => {
    const texts = corpus().filter((bytes) => bytes.length <= 200)
        .flatMap((bytes) => Array.from({ length: bytes.length }, (_, len) => bytes.subarray(0, len)));

    agree(texts.map((bytes) => ['p', bytes]), texts.map(isJson));
});

test('a text inside a string is judged as what the string says, however it is escaped', () => {
    const ways = [
        (c) => JSON.stringify(c).slice(1, -1),
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
        (c, i) => (i % 2 ? JSON.stringify(c).slice(1, -1) : `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
    ];
    const texts = corpus().filter((bytes) => bytes.length <= 4096).flatMap((bytes) => {
        let text;

        try {
            text = utf8.decode(bytes);
        } catch {
            return [];
        }
        // UTF-16 units, each escaped for itself; the first way keeps whole characters as they are.
        return ways.map((way, n) => (n === 0 ? JSON.stringify(text).slice(1, -1) : text.split('').map(
            (unit, i) => (/[\ud800-\udfff]/.test(unit) ? ways[1](unit) : way(unit, i))).join('')));
    });

    agree(texts.map((inside) => ['i', Buffer.from(inside)]), texts.map((inside) => parses(JSON.parse(`"${inside}"`))));
});
