#!/usr/bin/env node
/** `npm run cordon -- …`: what operators do, from the command line. */
import { processIo } from './process-io.ts';
import { run } from './run.ts';

// Set, not called: what is still on its way to stdout gets there.
process.exitCode = await run(process.argv.slice(2), processIo());
