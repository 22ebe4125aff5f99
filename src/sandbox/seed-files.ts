/** The application of the seeded project: what its merge requests deploy. */
export const applicationFiles: Record<string, string> = {
  'README.md': `# shop

A small web shop. \`deploy/preview\` is what a merge request's preview runs.

Try in a merge request: another greeting in \`deploy/preview/site.yaml\`, or the image \`shop:crash\` or \`shop:missing\` in
\`deploy/preview/workload.yaml\` to see how a failure is told.
`,
  'deploy/preview/site.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: site
data:
  greeting: Welcome to the shop
  colour: "#2f6f4f"
`,
  'deploy/preview/workload.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 1
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: shop:1.0
          ports: [{containerPort: 8080}]
          envFrom: [{configMapRef: {name: site}}]
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {cpu: 500m, memory: 128Mi}
---
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
`,
};

export const applicationDescription =
  'A small web shop. What deploy/preview holds is deployed for each merge request: try another greeting in site.yaml.';

/** Path of the seeded project, and of the repository that holds the branch. */
export const applicationProject = 'acme/shop';
export const environmentsProject = 'platform/environments';
