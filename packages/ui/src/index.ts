/** Pages for browsers. See README.md. */
export { inspectorPages } from './pages.ts';
