/** For people who open the agents' address in a browser, as https://localhost:8443/ of a fresh server. */
import { httpAnswer } from '../connection/plain-answers.ts';
import { htmlPage } from '../http/answers/pages.ts';

const TITLE = 'This address is for agents';
const WORDS =
  'It takes tunnel agents; web pages are at the names of endpoints. An agent and the API say which these are.';

/** @param head the first bytes of the request, as far as they have come */
export function webVisitorAnswer(head: string, webUrl: string): Buffer {
  if (!head.includes('text/html')) return httpAnswer(400, `${TITLE}. ${WORDS} ${webUrl}`);
  const page = htmlPage({ title: TITLE, paragraphs: [WORDS], link: webUrl, footer: '400' });
  return httpAnswer(400, page, '', 'text/html; charset=utf-8');
}
