/** Programs in Java: a folder with pom.xml becomes its packages and classes in the cache. */
import { cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { CLIENTS } from './client.ts';
import type { Command } from './program.ts';
import { built, runTool } from './toolchain.ts';

const SYSTEMS = new Map<string, string>([
  ['darwin', 'osx'],
  ['win32', 'windows'],
]);
const MACHINES = new Map<string, string>([
  ['x64', 'x86_64'],
  ['arm64', 'aarch_64'],
]);
/** As native parts of Java packages are named. */
const NATIVE = `${SYSTEMS.get(process.platform) ?? process.platform}-${MACHINES.get(process.arch) ?? process.arch}`;
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';

/** `name`: of the class to start; `args`: of the virtual machine. */
export async function javaProgram(folder: string, name = 'Main', args: readonly string[] = []): Promise<Command> {
  const source = path.join(CLIENTS, folder);
  const version = await runTool({ command: 'javac', args: ['--version'] });
  const made = await built(path.basename(folder), [source, version, NATIVE], async (into) => {
    const [lib, sources] = [path.join(into, 'lib'), path.join(into, 'source')];
    await cp(source, sources, { recursive: true });
    await runTool({
      command: 'mvn',
      args: ['-q', '-B', COPY, `-DoutputDirectory=${lib}`, `-Dnative=${NATIVE}`],
      cwd: sources,
    });
    const files = (await readdir(sources)).filter((file) => file.endsWith('.java'));
    await runTool({ command: 'javac', args: ['-cp', path.join(lib, '*'), '-d', into, ...files], cwd: sources });
    await rm(sources, { recursive: true });
  });
  return { command: 'java', args: [...args, '-cp', `${path.join(made, 'lib', '*')}${path.delimiter}${made}`, name] };
}
