report.charts(document.getElementById("curves-view"));
report.samples(document.getElementById("samples-view"));
document.body.append(report.tip);
