// HTTP and files, where a browser would be led astray.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';

async function serve(s) {
    let root;
    await start(s, ({ dir }) => {
        root = path.join(dir, 'www');
        fs.mkdirSync(root);
        return { 'protocol http': { document_root: root }, limits: { head: '32KiB' } };
    });
    return root;
}

story('a folder asked for without its slash keeps the query', async (s) => {
    const root = await serve(s);
    fs.mkdirSync(path.join(root, 'a room%'));
    const client = await raw(s);
    const location = async (target) => {
        client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const head = (await client.takeUntil('\r\n\r\n')).toString('latin1');
        const [, length] = /\r\nContent-Length: (\d+)\r\n/.exec(head);
        await client.take(Number(length));
        return [Number(head.slice(9, 12)), /\r\nLocation: ([^\r]*)\r\n/.exec(head)?.[1]];
    };
    assert.deepEqual(await location('/a%20room%25'), [301, '/a%20room%25/']);
    assert.deepEqual(await location('/a%20room%25?name=Ann&at=%2F?'), [301, '/a%20room%25/?name=Ann&at=%2F?']);
    assert.deepEqual(await location('http://elsewhere/a%20room%25?x'), [301, '/a%20room%25/?x']);
    const long = 'q'.repeat(15000);
    assert.deepEqual(await location(`/a%20room%25?${long}`), [301, `/a%20room%25/?${long}`]);
    assert.deepEqual(await location(`/a%20room%25?${long}${long}`), [414, undefined]);
});
