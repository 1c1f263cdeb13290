#!/usr/bin/env node
/**
 * The `postern` command. Any Node from 20.19 on may start it; the work is done by Node 24 (see runtime.js).
 */
import { enterUsersFolder, main, runHereOrUnder24 } from './runtime.js';

enterUsersFolder();
await runHereOrUnder24(main);
