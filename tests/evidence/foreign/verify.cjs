// Checks Sigstore bundles with Sigstore's own verifier, offline: no log of theirs and no time stamp is asked for.
//
// usage: node verify.cjs PUBLIC-KEY.pem HINT BUNDLE.json...
const fs = require('fs');
const crypto = require('crypto');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const [, , pem, hint, ...paths] = process.argv;
const key = crypto.createPublicKey(fs.readFileSync(pem));
const nothing = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', tlogs: [], ctlogs: [],
  certificateAuthorities: [], timestampAuthorities: [] };
const raw = key.export({ format: 'der', type: 'spki' });
const trusted = toTrustMaterial(nothing, (name) => {
  if (name !== hint) throw new Error(`an unknown key: ${name}`);
  return { publicKey: crypto.createPublicKey({ key: raw, format: 'der', type: 'spki' }), validFor: () => true };
});
const verifier = new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
for (const path of paths) {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(path, 'utf8')));
  verifier.verify(toSignedEntity(bundle));
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString());
  console.log(statement.predicateType);
}
