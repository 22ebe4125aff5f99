/** An application of five objects: the workload, and four that it does not wait for. */
export const fiveObjects: Record<string, string> = {
  'deploy/preview/workload.yaml': `apiVersion: v1
kind: ServiceAccount
metadata:
  name: shop
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: site
data:
  greeting: Welcome
---
apiVersion: v1
kind: Secret
metadata:
  name: session
stringData:
  key: not-a-secret
---
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
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
      serviceAccountName: shop
      containers:
        - name: shop
          image: shop:1.0
          ports: [{containerPort: 8080}]
          envFrom: [{configMapRef: {name: site}}, {secretRef: {name: session}}]
`,
};
