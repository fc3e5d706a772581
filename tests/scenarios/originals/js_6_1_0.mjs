// js_6_1_0 - the JavaScript client 6.1.0: on the wire as 6.0.1. A text ping is an ordinary message to it, and it never
// acknowledges.
import { Client, namespace } from './js_6_0_1.mjs';

export function js_6_1_0(page) {
    return namespace(page, '6.1.0', Client);
}
