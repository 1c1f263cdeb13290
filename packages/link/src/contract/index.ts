/** What every form of the link must do, whatever lies between its ends. */
import { fail, isPosternError } from '@postern/errors';
import { afterEach, describe, expect, it } from 'vitest';
import type { ControlLink, EdgePort } from '../link.ts';
import type { TrafficEvent } from '../traffic.ts';
import { AUTH, BIND, BOUND, EVENT, LOGIN, RESOURCES, ROUTE, SETTINGS } from './samples.ts';

export interface OpenLink {
  /** As the edge has it. */
  readonly link: ControlLink;
  /** Ends it from control's side. */
  close(): void | Promise<void>;
}

const UNASKED = (): Promise<never> => Promise.reject(new Error('not asked in this test'));
const CONTROL: ControlLink = {
  follow: UNASKED,
  certificateFor: UNASKED,
  authenticate: UNASKED,
  bind: UNASKED,
  bindLabels: UNASKED,
  unbind: UNASKED,
  patchTunnel: UNASKED,
  sessionEnded: UNASKED,
  login: () => {},
  traffic: () => {},
};
const EDGE: EdgePort = {
  applySettings: UNASKED,
  applyRoutes: UNASKED,
  applyResources: UNASKED,
  agentCommand: UNASKED,
  stopTunnel: () => {},
  closeSession: () => {},
  probeSession: UNASKED,
};

/** @param open puts a link in front of `control` */
export function linkContract(name: string, open: (control: ControlLink) => Promise<OpenLink>): void {
  describe(`the link over ${name}`, () => {
    const opened: OpenLink[] = [];
    const connect = async (change: Partial<ControlLink>): Promise<OpenLink> => {
      const one = await open({ ...CONTROL, ...change });
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });

    it('carries questions and answers whole', async () => {
      const asked: unknown[] = [];
      const { link } = await connect({
        bind: (...question) => {
          asked.push(question);
          return Promise.resolve(BOUND);
        },
        certificateFor: () => Promise.resolve(null),
      });
      expect(await link.bind('ts_1', BIND)).toEqual(BOUND);
      expect(asked).toEqual([['ts_1', BIND]]);
      expect(await link.certificateFor('a.test')).toBeNull();
    });

    it('carries failures of the error table by number, with their words and details', async () => {
      const { link } = await connect({
        authenticate: () => Promise.reject(fail(334, { url: 'https://a.test', holder: 'x' }, { details: { a: 'b' } })),
      });
      const error: unknown = await link.authenticate(AUTH, '127.0.0.1:1').catch((caught: unknown) => caught);
      if (!isPosternError(error)) throw new Error('it is none of the table');
      const { number, message, details, status } = error;
      expect({ number, message, details, status }).toEqual({
        number: 334,
        message: fail(334, { url: 'https://a.test', holder: 'x' }).message,
        details: { a: 'b' },
        status: 400,
      });
    });

    it('carries other failures by their words', async () => {
      const { link } = await connect({ unbind: () => Promise.reject(new RangeError('too far')) });
      await expect(link.unbind('ts_1', 'ep_1')).rejects.toMatchObject({ name: 'RangeError', message: 'too far' });
    });

    it('lets control ask the edge that follows', async () => {
      const heard: unknown[] = [];
      const { link } = await connect({
        async follow(edge) {
          await edge.applySettings(SETTINGS);
          await edge.applyResources({ snapshot: true, upserts: RESOURCES, removes: [] });
          await edge.applyRoutes({ revision: 1, snapshot: true, upserts: [ROUTE], removes: [] });
          edge.stopTunnel('ts_1', 'tn_1', 'over', null);
          edge.closeSession('ts_1', 'displaced');
          heard.push(await edge.probeSession('ts_1'), await edge.agentCommand('ts_1', { kind: 'stop' }));
          heard.push(
            await edge
              .applyRoutes({ revision: 2, snapshot: false, upserts: [], removes: [] })
              .catch((error: unknown) => String(error)),
          );
        },
      });
      const told: unknown[] = [];
      await link.follow({
        applySettings: (settings) => Promise.resolve(void told.push(settings)),
        applyRoutes(update) {
          told.push(update);
          return update.snapshot ? Promise.resolve() : Promise.reject(new Error('port 1 is taken'));
        },
        applyResources: (update) => Promise.resolve(void told.push(update)),
        agentCommand: (_session, { kind }) => Promise.resolve(`${kind} refused`),
        stopTunnel: (...words) => void told.push(words),
        closeSession: (...words) => void told.push(words),
        probeSession: () => Promise.resolve(true),
      });
      expect(told.slice(0, 5)).toEqual([
        SETTINGS,
        { snapshot: true, upserts: RESOURCES, removes: [] },
        { revision: 1, snapshot: true, upserts: [ROUTE], removes: [] },
        ['ts_1', 'tn_1', 'over', null],
        ['ts_1', 'displaced'],
      ]);
      expect(heard).toEqual([true, 'stop refused', 'Error: port 1 is taken']);
    });

    it('keeps the order of what is said without an answer and what is asked', async () => {
      const heard: string[] = [];
      const { link } = await connect({
        traffic: (events) => void heard.push(...events.map(({ path }) => path)),
        login: (event) => void heard.push(JSON.stringify(event)),
        sessionEnded: (_id, reason) => Promise.resolve(void heard.push(reason)),
      });
      link.traffic([{ ...EVENT, path: '/1' } satisfies TrafficEvent, { ...EVENT, path: '/2' }]);
      await link.sessionEnded('ts_1', 'gone');
      link.traffic([{ ...EVENT, path: '/3' }]);
      link.login(LOGIN);
      await link.sessionEnded('ts_2', 'gone, too');
      expect(heard).toEqual(['/1', '/2', 'gone', '/3', JSON.stringify(LOGIN), 'gone, too']);
    });

    it('answers many questions at once, each its own', async () => {
      const { link } = await connect({
        bindLabels: async (sessionId) => {
          await new Promise((resolve) => setTimeout(resolve, Number(sessionId) % 7));
          return { id: sessionId };
        },
      });
      const ids = Array.from({ length: 200 }, (_none, index) => String(index));
      const request = { id: '', labels: {}, forwardsTo: '', forwardsProto: '', metadata: '' };
      const answers = await Promise.all(ids.map((id) => link.bindLabels(id, request)));
      expect(answers.map(({ id }) => id)).toEqual(ids);
    });
  });
}

export { CONTROL as UNASKED_CONTROL, EDGE as UNASKED_EDGE };
