// The controllers that ship: properties, rooms, echo, Foo, the clock, who is online.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { demo, native, text, xsocketsnet } from './lib/clients.mjs';

story('a property that was set is read back, in each form a client sends it', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.invoke('chat', 'get_username');
    await client.expect('chat', 'get_username', '\\"\\"');
    for (const [D, inside] of [
        ['"\\"bob\\""', '\\"bob\\"'],
        ['"eve"', '\\"eve\\"'],
        ['"{\\"value\\":\\"ann\\"}"', '\\"ann\\"'],
        ['{"value":"joe"}', '\\"joe\\"'],
        ['"Jürgen \\"x\\" \\\\"', '\\"Jürgen \\\\\\"x\\\\\\" \\\\\\\\\\"'],
        ['""', '\\"\\"'],
    ]) {
        client.text(`{"C":"chat","D":${D},"T":"set_UserName"}`);
        client.text('{"C":"chat","D":"","T":"get_userName"}');
        await client.expect('chat', 'get_username', inside);
    }
    await client.barrier();
});

story('a property that cannot be set says why', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.invoke('chat', 'set_username', 'bob');
    for (const data of ['{"a":1}', '[1]', '{"value":{"a":1}}', '{"value":[1]}', 'null', '"' + 'x'.repeat(300) + '"']) {
        client.invoke('chat', 'set_username', data);
        assert.match(await client.expectError('chat'), /username/);
    }
    client.invoke('chat', 'set_nothing', 'x');
    await client.expectError('chat');
    client.invoke('chat', 'get_nothing');
    await client.expectError('chat');
    client.invoke('chat', 'get_username');
    await client.expect('chat', 'get_username', '\\"bob\\"');
});

story('properties over the text protocol', async (s) => {
    await start(s);
    const line = await text(s, { open: 'chat' });
    line.line('chat|set_username|bob|x');
    line.line('chat|get_username|');
    await line.expect('chat|get_username|"bob|x"');
    line.line('chat|get_username');
    await line.expect('chat|get_username|"bob|x"');
});

for (const [workers, here, there] of [[1, 0, 0], [4, 2, 2], [4, 0, 3]]) {
    story(`say reaches those in the same room (workers ${workers}, ${here} to ${there})`, async (s) => {
        await start(s, { server: { workers }, 'subprotocol native': { controller: 'chat', topic: 'say' }, 'subprotocol demo': { controller: 'chat' } });
        const sender = await xsocketsnet(s, { place: here, open: 'chat' });
        const same = await text(s, { place: there, open: 'chat' });
        const other = await xsocketsnet(s, { place: there, open: 'chat' });
        const nowhere = await native(s, { place: there });
        const alsoNowhere = await demo(s, { place: there, controller: 'chat' });
        const into = async (client, room) => {
            client.invoke('chat', 'set_room', room);
            client.invoke('chat', 'get_room');
            await client.expect('chat', 'get_room', `\\"${room}\\"`);
        };
        await into(sender, 'red');
        await into(other, 'blue');
        same.line('chat|set_room|red');
        same.line('chat|get_room|');
        await same.expect('chat|get_room|"red"');

        sender.invoke('chat', 'say', 'to red');
        await sender.expect('chat', 'say', '\\"to red\\"');
        await same.expect('chat|say|"to red"');
        other.invoke('chat', 'say', 'to blue');
        await other.expect('chat', 'say', '\\"to blue\\"');
        await into(sender, 'blue');
        sender.invoke('chat', 'say', 'moved');
        await sender.expect('chat', 'say', '\\"moved\\"');
        await other.expect('chat', 'say', '\\"moved\\"');
        same.line('chat|say|alone');
        await same.expect('chat|say|"alone"');
        nowhere.text('nobody');
        await nowhere.expectText('nobody');
        await alsoNowhere.expect('say', '\\"nobody\\"');
        await sender.barrier();
        await other.barrier();
        // A room is compared exactly.
        same.line('chat|set_room|Blue');
        same.line('chat|say|big');
        await same.expect('chat|say|"big"');
        await other.barrier();
    });
}

story('say needs no subscription and does not reach twice who has one', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.subscribe('chat', 'say', true);
    assert.match(await client.nextText(), /__say/);
    client.invoke('chat', 'say', 'x');
    await client.expect('chat', 'say', '\\"x\\"');
    await client.barrier();
});

story('echo answers the caller and nobody else', async (s) => {
    await start(s, { 'subprotocol native': { controller: 'echo', topic: 'say' }, 'subprotocol demo': { controller: 'echo' } });
    const client = await xsocketsnet(s, { open: 'echo' });
    const line = await text(s, { open: 'echo' });
    const plain = await native(s);
    const own = await demo(s, { controller: 'echo' });
    client.invoke('echo', 'any', { a: 1 });
    await client.expect('echo', 'any', '{\\"a\\":1}');
    line.line('echo|other|x');
    await line.expect('echo|other|"x"');
    plain.text('bare');
    await plain.expectText('bare');
    plain.binary(Buffer.from([1, 2, 3]));
    await plain.expectBinary(Buffer.from([1, 2, 3]));
    own.invoke('third', '[1]');
    await own.expect('third', '[1]');
    for (const one of [client, plain, own]) await one.barrier();
    line.line('echo|last|1');
    await line.expect('echo|last|1');
});

story('Foo binds a string and a number from every form and sends both to all', async (s) => {
    await start(s);
    const own = await demo(s, { controller: 'demo', place: 0 });
    const client = await xsocketsnet(s, { open: 'demo', place: 1 });
    const line = await text(s, { open: 'demo' });
    const everybody = async (s_, i) => {
        await own.expectText(`{"M":"foo","J":"{\\"stringValue\\":${s_},\\"intValue\\":${i}}"}`);
        await client.expectText(`{"C":"demo","T":"foo","D":"{\\"stringValue\\":${s_},\\"intValue\\":${i}}"}`);
        await line.expect(`demo|foo|{"stringValue":${JSON.parse(`"${s_}"`)},"intValue":${i}}`);
    };
    own.text('{"M":"foo","J":"{s:\'bar\',i:42}"}');
    await everybody('\\"bar\\"', 42);
    own.text('{"M":"Foo","J":"{\\"S\\":\\"b\\\\\\"r\\",\\"I\\":-7,\\"x\\":[{}]}"}');
    await everybody('\\"b\\\\\\"r\\"', -7);
    client.invoke('demo', 'foo', { s: 'é', i: 2147483647 });
    await everybody('\\"é\\"', 2147483647);
    line.line("demo|foo|{s:'a|b', i:0}");
    await everybody('\\"a|b\\"', 0);
});

story('Foo with wrong arguments tells the caller which, and nobody else anything', async (s) => {
    await start(s);
    const own = await demo(s, { controller: 'demo' });
    const client = await xsocketsnet(s, { open: 'demo' });
    for (const [data, field] of [['{"s":"a"}', 'i'], ['{"i":1}', 's'], ['{"s":"a","i":"x"}', 'i'], ['{"s":"a","i":1.5}', 'i'],
        ['{"s":"a","i":null}', 'i'], ['{"s":null,"i":1}', 's'], ['{"s":"a","i":99999999999999999999}', 'i'], ['{"s":["a"],"i":1}', 's'], ['{"s":"a","i":{}}', 'i']]) {
        client.invoke('demo', 'foo', data);
        assert.match(await client.expectError('demo'), new RegExp(`["'\`]?\\b${field}\\b`), data);
    }
    for (const data of ['', 'null', '[]', '42', 'text']) {
        client.invoke('demo', 'foo', data);
        await client.expectError('demo');
    }
    own.text('{"M":"foo","J":"{s:1}"}');
    const { M, J } = JSON.parse(await own.nextText());
    assert.equal(M, '4');
    assert.equal(JSON.parse(J).ClassName, 'System.Exception');
    await client.barrier();
});

story('any other topic on demo goes to all as it came', async (s) => {
    await start(s);
    const own = await demo(s, { controller: 'demo', place: 0 });
    const client = await xsocketsnet(s, { open: 'demo', place: 1 });
    own.invoke('Bar', '{"x":[1,2]}');
    await own.expect('bar', '{\\"x\\":[1,2]}');
    await client.expect('demo', 'bar', '{\\"x\\":[1,2]}');
    client.invoke('demo', 'baz', 'hi');
    await own.expect('baz', '\\"hi\\"');
});

story('what is no {M,J} ends a demo connection', async (s) => {
    await start(s);
    for (const word of ['hello', '{}', '[]', '{"J":"x"}', '{"M":1,"J"', '{"M":"foo","J":"x"} y']) {
        const own = await demo(s, { controller: 'demo' });
        own.text(word);
        for (let frame; (frame = await own.next()).opcode !== 8;) assert.equal(JSON.parse(frame.payload).M, '4');
        await own.until('the end', () => own.gone || undefined);
    }
});

story('the clock publishes the time to its subscribers on every worker, and is one for all', async (s) => {
    await start(s, { server: { workers: 4 }, 'controller clock': { interval: '50ms' } });
    const clients = [];
    for (let place = 0; place < 4; place++) {
        const client = await xsocketsnet(s, { place, open: 'clock' });
        client.subscribe('clock', 'time', true);
        await client.expect('clock', '__time', '{\\"T\\":\\"time\\",\\"C\\":\\"clock\\",\\"A\\":true}');
        clients.push(client);
    }
    const time = /^\{"C":"clock","T":"time","D":"\{\\"utc\\":\\"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\\"\}"\}$/;
    for (const client of clients) for (let i = 0; i < 3; i++) assert.match(await client.nextText(), time);
    // One instance in the process, whatever the number of workers.
    const { workers } = await s.daemon.stats();
    assert.equal(workers.filter((worker) => worker.timers > 0).length, 1);
});

story('the clock tells the time to whoever asks, and only to him', async (s) => {
    await start(s, { server: { workers: 4 }, 'controller clock': { interval: '1h' } });
    for (let place = 0; place < 4; place++) {
        const other = await xsocketsnet(s, { place, open: 'clock' });
        const client = await xsocketsnet(s, { place, open: 'clock' });
        client.text('{"C":"clock","D":"","T":"time","N":5}');
        assert.match(await client.nextText(), /^\{"C":"clock","T":"time","D":"\{\\"utc\\":\\"[^"]*\\"\}","N":5\}$/);
        await other.barrier();
    }
    const line = await text(s, { open: 'clock' });
    line.line('clock|time|');
    assert.match(await line.next(), /^clock\|time\|\{"utc":"[^"]*"\}$/);
});

story('online knows how many are here, from every worker, by name too', async (s) => {
    await start(s, { server: { workers: 4 } });
    const clients = [];
    for (let place = 0; place < 4; place++) clients.push(await xsocketsnet(s, { place, open: 'online' }));
    // The count is told until it is four.
    for (const client of clients) {
        for (;;) {
            const { C, T, D } = JSON.parse(await client.nextText());
            assert.deepEqual([C, T], ['online', 'online']);
            if (D === '4') break;
        }
    }
    clients[3].invoke('online', 'name', 'anna');
    clients[3].invoke('online', 'name', { name: 'bert "b"' });
    clients[3].invoke('online', 'who');
    await clients[3].expect('online', 'who', '{\\"count\\":4,\\"names\\":[\\"bert \\\\\\"b\\\\\\"\\"]}');
    clients[0].invoke('online', 'name', 'zoe');
    clients[0].invoke('online', 'who');
    assert.deepEqual(JSON.parse(JSON.parse(await clients[0].nextText()).D).names.sort(), ['bert "b"', 'zoe']);
    await clients[3].leave();
    await clients[1].expect('online', 'online', '3');
    clients[1].invoke('online', 'who');
    await clients[1].expect('online', 'who', '{\\"count\\":3,\\"names\\":[\\"zoe\\"]}');
});

story('who subscribed to who hears of every name that is told', async (s) => {
    await start(s, { server: { workers: 2 } });
    const watcher = await xsocketsnet(s, { place: 0, open: 'online' });
    const anna = await xsocketsnet(s, { place: 1, open: 'online' });
    const terminal = await text(s, { place: 1, open: 'online' });
    const hears = async (count, names) => {
        for (;;) {
            const { C, T, D } = JSON.parse(await watcher.nextText());
            assert.equal(C, 'online');
            if (T !== 'who') continue;
            const who = JSON.parse(D);
            if (who.count === count && who.names.join() === names) break;
        }
    };
    watcher.subscribe('online', 'who');
    anna.invoke('online', 'name', 'anna');
    await hears(3, 'anna');
    terminal.line('online|name|tom');
    await hears(3, 'anna,tom');
    anna.invoke('online', 'name', '');
    await hears(3, 'tom');
    await terminal.leave();
    await hears(2, '');
});

story('who comes is told as well, however soon after', async (s) => {
    await start(s, { server: { workers: 4 }, 'controller online': { gather: '1ms' } });
    for (let i = 1; i <= 60; i++) {
        const client = await xsocketsnet(s, { place: i % 4, open: 'online' });
        for (;;) {
            const { T, D } = JSON.parse(await client.nextText());
            assert.equal(T, 'online');
            if (D === String(i)) break;
        }
    }
});
