/** Programs on the pages of docs/clients are those that the suite of clients runs, word for word. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const textOf = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

test.each([
  ['docs/clients/go.md', 'go-agent-v2/page/main.go'],
  ['docs/clients/go.md', 'go-agent-v1/page/main.go'],
  ['docs/clients/rust.md', 'rust-agent/src/bin/page.rs'],
  ['docs/clients/python.md', 'python-agent/page.py'],
  ['docs/clients/javascript.md', 'javascript-agent/page.mjs'],
  ['docs/clients/java.md', 'java-agent/Page.java'],
  ['docs/clients/curl.md', 'pages/curl.sh'],
])('%s has %s', (page, program) => {
  expect(textOf(page)).toContain(`\n${textOf(`test/clients/${program}`)}\`\`\`\n`);
});
