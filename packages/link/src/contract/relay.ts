/**
 * A process that sends back each message it gets, for the contract: whatever passes between two ends goes out to
 * another process and comes home again, as it would to an edge there.
 */
import process from 'node:process';

process.on('message', (message) => process.send?.(message));
