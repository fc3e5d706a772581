// The Arduino against the daemon.
import assert from 'node:assert/strict';
import { GUID, xsocketsnet } from '../lib/clients.mjs';
import { Arduino } from './arduino.mjs';
import { start, story } from './lib/workers.mjs';

async function connect(s, { daemon = s.daemon } = {}) {
    const board = new Arduino(s);
    const { host, port } = daemon.at();
    board.heard = board.box('frame');
    board.setOnMessageDelegate(board.heard);
    assert.equal(await board.connect(host, port), true);
    return board;
}

const opened = new RegExp(`^(\\w+)\\|2\\|PI:(${GUID}),CI:(${GUID})$`);

async function opens(board, controller) {
    const frame = await board.heard.next();
    const [, name, PI, CI] = opened.exec(frame) ?? assert.fail(frame);
    assert.equal(name, controller);
    return { PI, CI };
}

// What comes is what the board prints; data behind a second bar is cut off by its getValueAtIx.
async function isError(board, controller) {
    const frame = await board.heard.next();
    assert.deepEqual([0, 1].map((i) => board.getValueAtIx(frame, i)), [controller, '4'], frame);
    return JSON.parse(frame.slice(controller.length + 3)).Message;
}

story('Arduino: is greeted by its own name and opens a controller by what it says to it', async (s) => {
    await start(s);
    const board = await connect(s);
    assert.deepEqual(board.wire.record, ['  > McuProtocol', '  > \\r\\n', '  < \\x00McuProtocol\\xff']);
    board.send('Generic', 'Data', '12');
    await opens(board, 'generic');
    await board.heard.expect('generic|data|12');
    board.send('generic', 'data', 'warm|cold €');
    const frame = await board.heard.next();
    assert.equal(frame, 'generic|data|"warm|cold €"');
    assert.equal(board.getValueAtIx(frame, 2), '"warm');
    assert.ok(board.connected());
});

story('Arduino: an answer, properties, and errors that it lives through', async (s) => {
    await start(s);
    const board = await connect(s);
    board.send('echo', 'x', '[1,2]');
    await opens(board, 'echo');
    await board.heard.expect('echo|x|[1,2]');
    board.send('chat', 'set_username', 'sensor');
    await opens(board, 'chat');
    board.send('chat', 'get_username', '');
    await board.heard.expect('chat|get_username|"sensor"');
    board.send('nobody', 'data', '12');
    assert.equal(await isError(board, ''), 'Unknown controller');
    board.send('demo', 'foo', '{"i":"no number"}');
    await opens(board, 'demo');
    await isError(board, 'demo');
    board.send('chat', 'say', 'still here');
    await board.heard.expect('chat|say|"still here"');
});

story('Arduino: listens and stops listening', async (s) => {
    await start(s);
    const board = await connect(s);
    const speaker = await xsocketsnet(s, { open: 'chat' });
    board.addListener('chat', 'light');
    await opens(board, 'chat');
    board.send('chat', 'get_room', '');
    await board.heard.expect('chat|get_room|""');
    speaker.invoke('chat', 'light', true);
    await board.heard.expect('chat|light|true');
    board.removeListener('chat', 'light');
    board.send('chat', 'get_room', '');
    await board.heard.expect('chat|get_room|""');
    speaker.invoke('chat', 'light', false);
    speaker.invoke('chat', 'say', 'over');
    await board.heard.expect('chat|say|"over"');
});

story('Arduino: never stands still in a frame, however many come', async (s) => {
    await start(s);
    const board = await connect(s);
    const speaker = await xsocketsnet(s, { open: 'chat', place: 1 });
    board.addListener('chat', 'count');
    await opens(board, 'chat');
    board.send('chat', 'get_room', '');
    await board.heard.expect('chat|get_room|""');
    for (let n = 0; n < 300; n++) speaker.invoke('chat', 'count', n);
    for (let n = 0; n < 300; n++) await board.heard.expect(`chat|count|${n}`);
});

story('Arduino: a closed controller, the end of the connection, and the next one', async (s) => {
    const first = await start(s);
    const board = await connect(s);
    board.send('chat', '1', '');
    const { PI, CI } = await opens(board, 'chat');
    board.send('chat', '3', '');
    await board.heard.expect(`chat|3|PI:${PI},CI:${CI}`);
    board.disconnect();
    await first.nobodyLeft();
    const other = await connect(s);
    await first.stop();
    await other.until('the end', () => !other.connected() || undefined);
    const second = await start(s, {}, { port: first.port });
    const later = await connect(s, { daemon: second });
    later.send('generic', 'data', '1');
    await opens(later, 'generic');
    await later.heard.expect('generic|data|1');
});
