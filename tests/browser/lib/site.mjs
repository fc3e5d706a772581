// site - a folder of pages with the compiled client beside them, for `file:` and for the daemon to serve.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { folder, root } from '../../scenarios/lib/daemon.mjs';

const dist = path.join(root, 'clients/javascript/dist');

// files: { name: text }. Gone when the story ends.
export function site(story, files) {
    const dir = folder();
    for (const name of fs.readdirSync(dist).filter((one) => one.startsWith('xsockets.')))
        fs.copyFileSync(path.join(dist, name), path.join(dir, name));
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text);
    return story.join({
        dir,
        file: (name, search = '') => `${pathToFileURL(path.join(dir, name))}${search}`,
        transcript: () => `[site ${dir}]`,
        end: () => fs.rmSync(dir, { recursive: true, force: true }),
    });
}

// A page that has the client in `client`, says its states, and is told by `?at=` where the daemon is, if not where it is
// itself. options: of the client, as source text.
export const page = (script = '', options = '{}') => `<!doctype html>
<meta charset="utf-8">
<title>client</title>
<link rel="icon" href="data:,">
<script src="xsockets.min.js"></script>
<script>
const at = new URLSearchParams(location.search).get('at') ?? location.origin;
const client = new XSockets.Client(at, ${options});
client.addEventListener('statechange', ({ detail }) => console.log(detail.state));
client.addEventListener('close', ({ detail }) => console.log('closed for good: ' + detail.why));
client.addEventListener('error', ({ detail }) => console.error(detail.error));
${script}
client.open();
</script>
`;
