import { definePlugin } from "@proximal/core";
import { CsvExporter } from "./csv.js";
import { MlflowExporter } from "./mlflow.js";
import { TensorBoardExporter } from "./tensorboard.js";

export { CsvExporter, MlflowExporter, TensorBoardExporter };

export default definePlugin({
  slug: "exporters",
  title: "Exporters: metrics for TensorBoard, MLflow and CSV",
  provenance: "TensorFlow's event files, MLflow's REST API 2.0",
  components: [CsvExporter, MlflowExporter, TensorBoardExporter],
});
