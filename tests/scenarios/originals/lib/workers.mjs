// workers - a story told twice: with one worker, and with four, of which clients choose theirs by place.
import * as daemon from '../../lib/daemon.mjs';
import * as told from '../../lib/story.mjs';

// As story() of the other tests; its start() takes as many workers as the story is told with.
export function story(name, options, run) {
    if (typeof options === 'function') [run, options] = [options, {}];
    for (const workers of [1, 4]) {
        told.story(`${name} (workers ${workers})`, options, (s) => {
            s.workers = workers;
            return run(s);
        });
    }
}

// The sections go over the usual ones; with `port` the daemon takes the place of one that has stopped.
export async function start(s, sections = {}, { port } = {}) {
    const all = { ...sections, server: { workers: s.workers, ...sections.server } };
    const started = await daemon.start(s, all, port ? { ini: () => daemon.configuration(all, port) } : {});
    if (port) started.port = port;
    return started;
}
