// JavaScript 6.0.1 against the daemon.
import { js_6_0_1 } from './js_6_0_1.mjs';
import { tellStories } from './lib/js6_stories.mjs';

tellStories('JavaScript 6.0.1', js_6_0_1);
