import { Random } from "@proximal/core";
import { completeConfig, decodeGraph, initialValues, parameterTable, packRequests, decodeRun, prefillGraph } from "@proximal/onnx";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { SHAPES } from "./lib/shapes.mjs";
const name=process.argv[2]??"small"; const prof=process.argv[3]==="prof";
const shape=SHAPES[name]; const config=completeConfig({...shape.architecture,initializer_range:0.02});
const random=new Random(1);
const data=Object.fromEntries(parameterTable(config).map((spec)=>[spec.name,initialValues(spec,config,random)]));
const parameters=Object.fromEntries(parameterTable(config).map((s)=>[s.name,new Tensor("float32",data[s.name],[...s.shape])]));
const rows=shape.prompts*shape.group;
const requests=Array.from({length:rows},(_, i)=>({prompt:Int32Array.from({length:22},(_, t)=>(t*7+Math.floor(i/shape.group)*3+t*t)%config.vocab_size),key:i,maxTokens:32,temperature:1,stopTokens:[]}));
const job=packRequests(requests,{vocabularySize:config.vocab_size,contextLength:2048,stopTokens:[]});
const opts={graphOptimizationLevel:"all",enableMemPattern:false,intraOpNumThreads:2,logSeverityLevel:4};
const make=async(g,p)=>InferenceSession.create(g.bytes,{...opts,...(p?{enableProfiling:true,profileFilePrefix:`/tmp/eng/${p}`}:{})});
for(const f of readdirSync("/tmp/eng"))rmSync(`/tmp/eng/${f}`,{recursive:true});
const sess={prefill:await make(prefillGraph(config,{}),prof&&"prefill"),decode:await make(decodeGraph(config,job.variant,{}),prof&&"decode")};
const wrap=Object.fromEntries(Object.entries(sess).map(([k,s])=>[k,{run:async(feeds,fetch)=>{const st=performance.now();const r=await s.run(feeds,fetch??s.outputNames);wrap[k].t.push(performance.now()-st);return r;},t:[]}]));
const runtime={session:async(role)=>wrap[role],parameters,maxRows:64};
let out;
for(let i=0;i<8;i++) out=await decodeRun(job,runtime);
for(const k of ["prefill","decode"]){const t=wrap[k].t.slice(2).sort((a,b)=>a-b);console.log(k,"min",t[0].toFixed(1),"med",t[t.length>>1].toFixed(1));}
let h=0;for(const x of out.tokens)h=(h*31+x)|0;console.log("tokens hash",h,"logp",out.logp[5]);
if(prof){
 for(const k of ["prefill","decode"]){ await sess[k].endProfiling?.();}
 for(const f of readdirSync("/tmp/eng")){
  const ev=JSON.parse(readFileSync(`/tmp/eng/${f}`,"utf8"));
  const ops={};let total=0;
  for(const e of ev) if(e.cat==="Node"&&e.name.endsWith("_kernel_time")&&e.args.op_name!=="Loop"){const key=e.args.op_name+(process.argv[4]?" "+JSON.stringify(e.args.input_type_shape).slice(0,120):"");(ops[key]??={n:0,t:0}).n++;ops[key].t+=e.dur;total+=e.dur;}
  console.log(f,(total/8000).toFixed(1),"ms kernels per run");
  for(const [k,v] of Object.entries(ops).sort((a,b)=>b[1].t-a[1].t).slice(0,Number(process.argv[5]??22)))console.log("  ",k.padEnd(30),(v.t/8000).toFixed(2),"ms",(100*v.t/total).toFixed(1)+"%",v.n/8);
 }
}
