/**
 * SHA-256 hashes of the bases, hooks and workflows that old versions of meshops wrote, oldest version first. These
 * versions did not record the files in an inventory. Each hash is computed from the text with the branch `main`.
 * Source: test/frozen.
 */
export const writtenBefore: readonly Readonly<Record<string, string>>[] = [
  // 0.1.0, commit 1e5175a
  {
    ".azure-pipelines/comment.mjs": "2053beb87541de72d6d253b7324269912594acf1312e4f530c6e8732e77be383",
    ".githooks/install.mjs": "e9a1ca7f91783b03878e3f31cdbbce1f69b32c0fdfcebda82dd8d9b6be05ee50",
    ".githooks/no-plaintext-keys": "3f7cf2d16205fd95955737535d97b6f7196251981b5e29439413396f273bd386",
    ".githooks/pre-commit": "c242980a1b482cf9943861e137e6f36ae50a757f1d5d13c7e35e736eba9b936d",
    ".github/workflows/certificates.yml": "38ce8e0b539d0b5022b93cb849e345352138e2291804c21bcfbd7fcb8affdcb1",
    ".github/workflows/meshops.yml": "9c92d3e80a7a10b48bcfe35bf77b8458e9814a683684a0eb8631b2b8f405e7f1",
    "azure-pipelines.yml": "91c471f5258664cefe419971e84d234c73e71764f4fd68134eac1c7b349a9ba0",
    "bases/dgraph/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/dgraph/release.yaml": "dab7db4c4f3f9bbff0b8c5d6edb18dc87a53f7884df8c0eddf1d8d6b7c87c953",
    "bases/grafana/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/grafana/release.yaml": "396f5ba87b5211706abd3b75f5d533db7d555627a59e768911a89c7873009d17",
    "bases/helm-release/defaults.yaml": "44ef45f2b943d212a5e10c51915318c4a6e57c275db8b08a72495afa1fb0a541",
    "bases/helm-release/kustomization.yaml": "369d63922a84f4df17e8be170d11546e2444226decaa47666e1f9f879d0bdd24",
    "bases/helm-release/retry.yaml": "498d4d3c3fdf4301e9213b2d9603789100f1710f12011d9c131a1bf193d59143",
    "bases/helm-release/rollback.yaml": "dbe6f77606edffbb353884ad9483d0516dad0d8bd6f0ffd7bc1f1d9e348fa20f",
    "bases/helm-release/values-reference.yaml": "3a6767003ace9cca71460c44428f6c2027ba6673583e60578a962254937c140a",
    "bases/identity/apply.sh": "639f9497ec09b7c7a8d1fd3125a5d661e46cc5c35a4d04b90cff2eb3fa097720",
    "bases/linkerd-control-plane/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/linkerd-control-plane/release.yaml": "a8876678152c7be96192f7286db1ee83ec743119b17cc2062283b1b18ace3ad2",
    "bases/linkerd-crds/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/linkerd-crds/release.yaml": "c4eb4c6922f0666ff846110046dfb3eb90af85f395aec142e5f7fdd5161e07d1",
    "bases/linkerd-jaeger/extension/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/linkerd-jaeger/extension/release.yaml": "7a07235b8f0a8197295b7ac34b059093a17e5021320f42d646e9ef3a3b975c9b",
    "bases/linkerd-jaeger/standalone/deployment.yaml": "ac48642b1e9edd08a0c126cc735785499fc8e827329f7822abb8f9e9c2411944",
    "bases/linkerd-jaeger/standalone/jaeger.yaml": "8854a3fe223b81a75dd903edbdd07cb87e8d4cde2b87532169e79c7a83f56d3f",
    "bases/linkerd-jaeger/standalone/kustomization.yaml": "f9a94eb7847013c3285d31a312db9cc063d2376642dd2e35ce5723ba95344371",
    "bases/linkerd-jaeger/standalone/service.yaml": "57f215f7eb3b835de33518740120ec13c08d66ddcbba7fa64ce85b29ea0ea058",
    "bases/linkerd-jaeger/standalone/serviceaccount.yaml": "145757e7b007d168f6a56cde707c9ead89777afc161201cd1a4a6550554faaf0",
    "bases/linkerd-viz/kustomization.yaml": "c8408cdc48ee43fb25f600d617af965995347a631d42a377143b807e3d963d29",
    "bases/linkerd-viz/release.yaml": "2b7bf495bd6aaea9299f1817ce72d195026f0f91fc47de12c65cfd4e3c3efade",
    "bases/pydgraph-client/deployment.yaml": "35f5435cdb5dc851f9dd2423c4c5ab7406bfb2acbb8b285ec277744db8e84753",
    "bases/pydgraph-client/kustomization.yaml": "e5f0c4f08602fc25e3a082fa4b42257cdcfc77461fff0adfbb23c69bcbb6aed9",
    "bases/pydgraph-client/serviceaccount.yaml": "4ad7ec0c444ceaeb632f949e46fadeb18b985903abf2d0744bb0da2d425fbb79",
  },
];
