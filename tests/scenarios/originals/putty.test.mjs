// PuTTY in raw mode against the daemon.
import assert from 'node:assert/strict';
import { GUID } from '../lib/clients.mjs';
import { Putty } from './putty.mjs';
import { start, story } from './lib/workers.mjs';

async function connect(s, controllers = ['chat'], { place, daemon = s.daemon, parameters = [] } = {}) {
    const putty = new Putty(s);
    const { host, port } = daemon.at();
    const query = [...parameters, ...(place === undefined ? [] : [`place=${place}`])].join('&');
    await putty.connect(host, port, query && `?${query}`);
    putty.ids = {};
    for (const one of controllers) putty.ids[one] = await putty.open(one);
    return putty;
}

const isException = (line, controller) => {
    assert.ok(line.startsWith(`${controller}|4|{"ClassName":"System.Exception",`), line);
    return JSON.parse(line.slice(controller.length + 3)).Message;
};

story('PuTTY: a greeting, a controller, a message back', async (s) => {
    await start(s);
    const putty = await connect(s, ['generic']);
    assert.match(`${putty.ids.generic.PI} ${putty.ids.generic.CI}`, new RegExp(`^${GUID} ${GUID}$`));
    putty.send('generic', 'say', 'hello');
    await putty.expect('generic|say|"hello"');
    putty.send('Generic', 'Say', '{"a":"x|y"}');
    await putty.expect('generic|say|{"a":"x|y"}');
    putty.type('generic|say');
    await putty.expect('generic|say|""');
    putty.type('');
    putty.send('generic', 'say', 'Jürgen €😀');
    await putty.expect('generic|say|"Jürgen €😀"');
});

story('PuTTY: a controller is opened by what is said to it; an answer comes to the one who asked', async (s) => {
    await start(s);
    const putty = await connect(s, []);
    const other = await connect(s, ['echo']);
    putty.send('echo', 'any', '[1,2]');
    await putty.opened('echo');
    await putty.expect('echo|any|[1,2]');
    other.send('echo', 'end', '1');
    await other.expect('echo|end|1');
});

story('PuTTY: subscribing in words and in numbers', async (s) => {
    await start(s);
    const listener = await connect(s, ['chat'], { place: 0 });
    const speaker = await connect(s, ['chat'], { place: 1 });
    listener.subscribe('chat', 'news');
    listener.send('chat', 5, 'sport');
    listener.send('chat', 'get_room');
    await listener.expect('chat|get_room|""');
    speaker.send('chat', 'news', '1');
    speaker.send('chat', 'sport', '2');
    await listener.expect('chat|news|1', 'chat|sport|2');
    listener.unsubscribe('chat', 'news');
    listener.send('chat', 6, 'sport');
    listener.send('chat', 'get_room');
    await listener.expect('chat|get_room|""');
    for (const topic of ['news', 'sport']) speaker.send('chat', topic, '3');
    speaker.send('chat', 'say', 'over');
    await listener.expect('chat|say|"over"');
});

story('PuTTY: properties, errors, and the line goes on', async (s) => {
    await start(s);
    const putty = await connect(s, ['chat', 'demo']);
    putty.send('chat', 'set_username', 'anna');
    putty.send('chat', 'get_username');
    await putty.expect('chat|get_username|"anna"');
    putty.send('nobody', 'say', 'hello');
    assert.equal(isException(await putty.lines.next(), ''), 'Unknown controller');
    putty.send('demo', 'foo', '{"i":"no number"}');
    isException(await putty.lines.next(), 'demo');
    putty.type('what is this?');
    isException(await putty.lines.next(), '');
    putty.send('demo', 'foo', "{s:'bar',i:42}");
    await putty.expect('demo|foo|{"stringValue":"bar","intValue":42}');
});

story('PuTTY: closing a controller, closing the window', async (s) => {
    await start(s);
    const putty = await connect(s, ['chat', 'echo']);
    putty.send('chat', 3);
    const line = await putty.lines.next();
    assert.equal(line, `chat|3|PI:${putty.ids.chat.PI},CI:${putty.ids.chat.CI}`);
    putty.send('echo', 'x', '1');
    await putty.expect('echo|x|1');
    putty.close();
    await s.daemon.nobodyLeft();
});

story('PuTTY: the persistent id of the greeting is kept, also by the next server', async (s) => {
    const first = await start(s);
    const putty = await connect(s);
    const { PI, CI } = putty.ids.chat;
    const again = await connect(s, ['chat'], { parameters: [`PersistentId=${PI}`, 'clienttype=kinect'] });
    assert.equal(again.ids.chat.PI, PI);
    assert.notEqual(again.ids.chat.CI, CI);
    await first.stop();
    await again.until('the end', () => again.wire.closed || undefined);
    const second = await start(s, {}, { port: first.port });
    const later = await connect(s, ['chat'], { daemon: second, parameters: [`PersistentId=${PI}`] });
    assert.equal(later.ids.chat.PI, PI);
});

story('PuTTY: storage is not there yet and does no harm', async (s) => {
    await start(s);
    const putty = await connect(s);
    putty.send('chat', 's2', 'color');
    await putty.expect('chat|s2:color|{"K":"color","V":null}');
    putty.send('chat', 's1', 'color,red');
    putty.send('chat', 's3', 'color');
    for (let i = 0; i < 2; i++) isException(await putty.lines.next(), 'chat');
    putty.send('chat', 'say', 'well');
    await putty.expect('chat|say|"well"');
});
