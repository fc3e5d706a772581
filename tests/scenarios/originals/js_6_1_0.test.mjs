// JavaScript 6.1.0 against the daemon.
import { js_6_1_0 } from './js_6_1_0.mjs';
import { tellStories } from './lib/js6_stories.mjs';

tellStories('JavaScript 6.1.0', js_6_1_0);
