// JavaScript 6.2.0, its builds, against the daemon.
import assert from 'node:assert/strict';
import { js_6_2_0 } from './js_6_2_0.mjs';
import { asks, hears, tellStories, visit } from './lib/js6_stories.mjs';
import { start, story } from './lib/workers.mjs';

tellStories('JavaScript 6.2.0', js_6_2_0);

story('JavaScript 6.2.0: with enableQoS the parameter goes along, and acknowledgements in every build\'s words do no harm', async (s) => {
    await start(s);
    for (const build of [1, 2, 3]) {
        const visitor = await visit(s, (page) => js_6_2_0(page, { build }), ['chat'], { prepare: (conn) => conn.enableQoS() });
        assert.match(visitor.page.wires[0].record[0], /GET \/\?qos=1 HTTP/);
        const words = String(visitor.chat.acknowledgement({ I: 5, C: 'chat' }));
        assert.equal(words, build === 1 ? '{"C":"chat","T":"9"}' : "{'T':'9','I':'5','C':'chat','Q':'1'}");
        visitor.conn.socket.send(words);
        assert.equal(await asks(visitor, 'chat', 'get_username'), '');
        visitor.onError.empty();
    }
});

story('JavaScript 6.2.0: the text heartbeat is answered at open and at every interval', async (s) => {
    await start(s);
    const visitor = await visit(s, js_6_2_0, ['chat'], { prepare: (conn) => conn.autoHeartbeat(true, 30000) });
    const pong = { C: '', T: '8', D: 'null' };
    await visitor.onMessage.expect(pong);
    for (let i = 0; i < 3; i++) {
        visitor.page.time.pass(30000);
        assert.deepEqual(visitor.page.said(), ['{"C":"","T":"7"}']);
        await visitor.onMessage.expect(pong);
    }
    assert.equal(await asks(visitor, 'chat', 'get_username'), '');
    visitor.conn.close();
    await visitor.onClose.take();
    visitor.page.said();
    visitor.page.time.pass(60000);
    assert.deepEqual(visitor.page.said(), []);
});

story('JavaScript 6.2.0: publish and the property functions give promises, publishBinary is invokeBinary', async (s) => {
    await start(s);
    const visitor = await visit(s, js_6_2_0, ['echo', 'chat']);
    const box = visitor.page.box('promise');
    visitor.echo.publish('say', 1).then(box);
    await box.expect(1);
    visitor.chat.setProperty('username', 'anna');
    visitor.chat.getProperty('username', () => {}).then(box);
    await box.expect('anna');
    const file = hears(visitor, 'echo', 'file');
    visitor.echo.publishBinary('file', new ArrayBuffer(3), { n: 1 });
    assert.deepEqual((await file.next()).metadata, { n: 1 });
});
