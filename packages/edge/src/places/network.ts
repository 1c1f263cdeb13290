/**
 * Whom an address counts for, wherever something is limited or shared by address: an IPv4 address for itself, an IPv6
 * address for its /64, since whoever has one has all of them (RFC 6177, RFC 4291 §2.5.4).
 */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const bare = ip.split('%', 1)[0] ?? ip;
  if (bare.includes('.')) {
    // An IPv4 address in IPv6 clothes: ::ffff:192.0.2.1
    const last = bare.slice(bare.lastIndexOf(':') + 1);
    if (/^(::|(0{1,4}:){5})ffff:[^:]*$/i.test(bare)) return last;
  }
  const [head = '', tail] = bare.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted end stands for two groups.
  const groups = front.length + back.length + (bare.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups);
  const all = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return `${all
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
