import { headers } from 'next/headers';

export default async function Page() {
  const seen = await headers();
  return <p>{`${seen.get('x-forwarded-proto')} for ${seen.get('host')}`}</p>;
}
