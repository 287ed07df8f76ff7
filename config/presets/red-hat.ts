import type { Preset } from '../preset.ts';

export const redHat: Preset = {
  name: 'red-hat',
  publisher: 'Red Hat',
  version: 1,
  images: ['registry.access.redhat.com/**', 'registry.redhat.io/**'],
  login: ['registry.redhat.io'],
  example: 'registry.access.redhat.com/ubi9/ubi-micro:latest',
  signedBy: 'release key 3',
  verifies: {
    kind: 'key',
    pem: `-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA0ASyuH2TLWvBUqPHZ4Ip
75g7EncBkgQHdJnjzxAW5KQTMh/siBoB/BoSrtiPMwnChbTCnQOIQeZuDiFnhuJ7
M/D3b7JoX0m123NcCSn67mAdjBa6Bg6kukZgCP4ZUZeESajWX/EjylFcRFOXW57p
RDCEN42J/jYlVqt+g9+Grker8Sz86H3l0tbqOdjbz/VxHYhwF0ctUMHsyVRDq2QP
tqzNXlmlMhS/PoFr6R4u/7HCn/K+LegcO2fAFOb40KvKSKKVD6lewUZErhop1CgJ
XjDtGmmO9dGMF71mf6HEfaKSdy+EE6iSF2A2Vv9QhBawMiq2kOzEiLg4nAdJT8wg
ZrMAmPCqGIsXNGZ4/Q+YTwwlce3glqb5L9tfNozEdSR9N85DESfQLQEdY3CalwKM
BT1OEhEX1wHRCU4drMOej6BNW0VtscGtHmCrs74jPezhwNT8ypkyS+T0zT4Tsy6f
VXkJ8YSHyenSzMB2Op2bvsE3grY+s74WhG9UIA6DBxcTie15NSzKwfzaoNWODcLF
p7BY8aaHE2MqFxYFX+IbjpkQRfaeQQsouDFdCkXEFVfPpbD2dk6FleaMTPuyxtIT
gjVEtGQK2qGCFGiQHFd4hfV+eCA63Jro1z0zoBM5BbIIQ3+eVFwt3AlZp5UVwr6d
secqki/yrmv3Y0dqZ9VOn3UCAwEAAQ==
-----END PUBLIC KEY-----
`,
    sha256: 'ba9d26350d78893a20f337e2153a113108bfcf064085afaee60d446e63405576',
  },
  source: 'https://security.access.redhat.com/data/63405576.txt',
  checked: '2026-11-24',
  confidence: 'medium',
  note: 'The key is embedded and was the same in two independent public repositories; the transparency log is not used.',
  gaps: ['Images that have only the older GPG signatures are refused.'],
};
