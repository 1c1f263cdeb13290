import type { Recorder } from '../record/recorder.ts';
import type { Tunnels } from '../tunnels.ts';
import { curlOf } from '../view/curl.ts';
import { detailOf, messageViews, summaryOf } from '../view/exchange-view.ts';
import { harParts } from '../view/har.ts';
import type { ExchangeList, StatusView } from '../view/shapes.ts';
import type { Watches } from '../watch/watches.ts';
import { limitOf, sendJson, sendParts } from './answer.ts';
import type { NewsStream } from './news.ts';
import { exchangeOf, searched } from './requests-api.ts';
import type { Route } from './route.ts';

/** `/api/inspect`: what the pages need beside the v3 agent's API. */
export function inspectRoutes(
  recorder: Recorder | undefined,
  watches: Watches,
  tunnels: Tunnels,
  news: NewsStream | undefined,
): readonly Route[] {
  const urlOf = (name: string): string =>
    tunnels.list().find((tunnel) => tunnel.name === name)?.url ?? 'http://localhost';
  const status: Route = {
    path: '/api/inspect/status',
    GET: ({ response }) => sendJson(response, 200, statusView(recorder !== undefined, watches, tunnels)),
  };
  if (recorder === undefined || news === undefined) return [status];
  return [
    status,
    { path: '/api/inspect/news', GET: ({ response }) => news.open(response) },
    {
      path: '/api/inspect/exchanges',
      GET: async ({ response, query }) => {
        const limit = limitOf(query, 100, 1_000);
        const found = await searched(recorder, query, 101, 1_001).then((all) => all.slice(0, limit + 1));
        const list: ExchangeList = {
          exchanges: found.slice(0, limit).flatMap((number) => {
            const exchange = recorder.numbered(number);
            return exchange === undefined ? [] : [summaryOf(recorder, exchange)];
          }),
          more: found.length > limit,
        };
        sendJson(response, 200, list);
      },
    },
    {
      path: '/api/inspect/exchanges/:id',
      GET: ({ response, params: [id = ''] }) => sendJson(response, 200, detailOf(recorder, exchangeOf(recorder, id))),
    },
    {
      path: '/api/inspect/exchanges/:id/messages',
      GET: ({ response, params: [id = ''], query }) => {
        const after = Number(query.get('after') ?? 0) || 0;
        const exchange = exchangeOf(recorder, id);
        const { messages, messageCount } = exchange;
        const fitting = messages.filter(({ number }) => number > after).slice(-limitOf(query, 500, 2_000));
        sendJson(response, 200, { messages: messageViews(exchange, fitting), count: messageCount });
      },
    },
    {
      path: '/api/inspect/exchanges/:id/curl',
      GET: ({ response, params: [id = ''] }) => {
        const exchange = exchangeOf(recorder, id);
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
        response.end(curlOf(exchange, urlOf(exchange.tunnel)));
      },
    },
    {
      path: '/api/inspect/har',
      GET: async ({ response, query }) => {
        const found = await searched(recorder, query, 1_000, 1_000);
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-disposition': 'attachment; filename="postern.har"',
          'cache-control': 'no-store',
        });
        await sendParts(response, harParts(recorder, found.toReversed(), tunnels.state().version, urlOf));
      },
    },
    {
      path: '/api/inspect/exchanges/:id/har',
      GET: async ({ response, params: [id = ''] }) => {
        const exchange = exchangeOf(recorder, id);
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-disposition': `attachment; filename="postern-${id}.har"`,
          'cache-control': 'no-store',
        });
        await sendParts(response, harParts(recorder, [exchange.number], tunnels.state().version, urlOf));
      },
    },
  ];
}

function statusView(recording: boolean, watches: Watches, tunnels: Tunnels): StatusView {
  const { session, version, region, latency, facts } = tunnels.state();
  return {
    session,
    version,
    region,
    latency: latency === undefined ? '' : `${latency.toFixed(1)} ms`,
    facts,
    recording,
    all: watches.all.view(),
    tunnels: tunnels.list().map(({ name, url, addr, proto, inspect }) => ({
      name,
      url,
      addr,
      proto,
      inspect,
      metrics: watches.of(name).view(),
    })),
  };
}
