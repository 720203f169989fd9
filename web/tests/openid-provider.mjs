// A certified OpenID provider on loopback for tests: anybody signs in there under the name they type.
// Arguments: certificate, key, client id, client secret, address to come back to. Prints its own address.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { argv, stdout } from 'node:process';
import Provider from 'oidc-provider';

const [certificate, key, id, secret, back] = argv.slice(2);
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: id, client_secret: secret, redirect_uris: [back], application_type: 'native' }],
    claims: { openid: ['sub', 'amr'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: `Họ tên ${sub}`,
        preferred_username: sub,
        email: `${sub}@example.vn`,
        email_verified: true,
        amr: ['mfa'],
      }),
    }),
  });
  server.on('request', provider.callback());
  stdout.write(`${issuer}\n`);
});
