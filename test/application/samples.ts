import type { Application } from '../../src/application/application.js';
import type { ExpectedApplication } from '../../src/application/validate.js';

export const commit = '0123456789abcdef0123456789abcdef01234567';

export const template = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-42
spec:
  project: previews
  destination:
    name: default
    namespace: preview-shop-42
  source:
    repoURL: https://gitlab.example.com/acme/shop.git
    targetRevision: ${commit}
    path: deploy/preview
`;

export const expected: ExpectedApplication = {
  name: 'shop-42',
  cluster: 'default',
  namespace: 'preview-shop-42',
  repositories: ['https://gitlab.example.com/acme/*'],
  projects: ['previews'],
};

export function anApplication(): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop-42', annotations: {} },
    spec: {
      project: 'previews',
      destination: { name: 'default', namespace: 'preview-shop-42' },
      source: { repoURL: 'https://gitlab.example.com/acme/shop.git', targetRevision: commit, path: 'deploy/preview' },
    },
  };
}
