// The Photon against the daemon.
import assert from 'node:assert/strict';
import { GUID, xsocketsnet } from '../lib/clients.mjs';
import { Photon } from './photon.mjs';
import { start, story } from './lib/workers.mjs';

const MINE = '0b0c0d0e-1111-4222-8333-444455556666';

async function connect(s, controllers = [], { id } = {}) {
    const board = new Photon(s);
    const { host, port } = s.daemon.at();
    board.heard = board.box('frame');
    board.disconnected = board.box('disconnected');
    board.setOnMessageDelegate(board.heard);
    board.setOnDisconnectedDelegate(board.disconnected);
    if (id) board.SetClientId(id);
    assert.equal(await board.connect(host, port), true);
    board.ids = {};
    for (const one of controllers) {
        board.openController(one);
        board.ids[one] = await opens(board, one);
    }
    return board;
}

async function opens(board, controller) {
    const frame = await board.heard.next();
    const [, PI, CI] = new RegExp(`^${controller}\\|2\\|PI:(${GUID}),CI:(${GUID})$`).exec(frame) ?? assert.fail(frame);
    return { PI, CI };
}

story('Photon: greets without a line end, with and without an id of its own choice', async (s) => {
    await start(s);
    const plain = await connect(s, ['generic']);
    assert.equal(plain.wire.record[1], '  < \\x00welcome\\xff');
    assert.notEqual(plain.ids.generic.PI, MINE);
    const board = await connect(s, ['generic'], { id: MINE });
    assert.equal(board.ids.generic.PI, MINE);
    // A reconnect is another client with the same id.
    const again = await connect(s, ['generic'], { id: MINE });
    assert.equal(again.ids.generic.PI, MINE);
    assert.notEqual(again.ids.generic.CI, board.ids.generic.CI);
    again.send('generic', 'd7_on', '');
    for (const one of [plain, board, again]) {
        const frame = await one.heard.next();
        assert.equal(one.getValueAtIx(frame, 1), 'd7_on');
    }
});

story('Photon: answers, properties, errors, listening', async (s) => {
    await start(s);
    const board = await connect(s, ['echo', 'chat', 'demo'], { id: MINE });
    const speaker = await xsocketsnet(s, { open: 'chat' });
    board.send('echo', 'x', 'hello');
    await board.heard.expect('echo|x|"hello"');
    board.send('chat', 'set_username', 'photon');
    board.send('chat', 'get_username', '');
    await board.heard.expect('chat|get_username|"photon"');
    board.openController('nobody');
    assert.match(await board.heard.next(), /^\|4\|\{"ClassName":"System\.Exception","Message":"Unknown controller",/);
    board.send('demo', 'foo', '{"i":"no number"}');
    assert.match(await board.heard.next(), /^demo\|4\|\{"ClassName":"System\.Exception",/);
    board.addListener('chat', 'light');
    board.send('chat', 'get_room', '');
    await board.heard.expect('chat|get_room|""');
    speaker.invoke('chat', 'light', { on: true });
    await board.heard.expect('chat|light|{"on":true}');
    board.removeListener('chat', 'light');
    board.send('chat', 'get_room', '');
    await board.heard.expect('chat|get_room|""');
    speaker.invoke('chat', 'light', { on: false });
    speaker.invoke('chat', 'say', 'over');
    await board.heard.expect('chat|say|"over"');
});

story('Photon: closes a controller, and hears that the connection has ended', async (s) => {
    const daemon = await start(s);
    const board = await connect(s, ['chat', 'echo'], { id: MINE });
    board.closeController('chat');
    await board.heard.expect(`chat|3|PI:${MINE},CI:${board.ids.chat.CI}`);
    board.send('echo', 'x', '1');
    await board.heard.expect('echo|x|1');
    await daemon.stop();
    await board.disconnected.take();
    assert.equal(board.connected(), false);
});

story('Photon: storage is not there yet and does no harm', async (s) => {
    await start(s);
    const board = await connect(s, ['chat'], { id: MINE });
    board.storageGet('chat', 'color');
    await board.heard.expect('chat|s2:color|{"K":"color","V":null}');
    board.storageSet('chat', 'color', 'red');
    board.storageRemove('chat', 'color');
    board.storageClear('chat');
    for (let i = 0; i < 2; i++) assert.match(await board.heard.next(), /^chat\|4\|\{"ClassName":"System\.Exception",/);
    board.send('chat', 'say', 'well');
    await board.heard.expect('chat|say|"well"');
});
