//! bench ROW seconds|calls N: as bench.c does it, with rs-consul. Its own default keeps no
//! connection between calls; here it keeps them. For 32 threads it has 32 tasks.

use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rs_consul::types::{CreateOrUpdateKeyRequest, ReadKeyRequest};
use rs_consul::{Config, Consul};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TASKS: usize = 32;
const LISTED: usize = 1000;
const LISTED_BYTES: usize = 64_000;
const BIG: usize = 256 * 1024;

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn read(consul: &Consul, key: &str, recurse: bool) -> Result<(usize, usize), Failure> {
    let request = ReadKeyRequest::builder().key(key).recurse(recurse).build();
    let pairs = consul.read_key(request).await?.response;
    let bytes = pairs.iter().map(|pair| pair.value.as_ref().map_or(0, String::len)).sum();
    Ok((bytes, pairs.len()))
}

async fn call(consul: &Consul, row: &str) -> Result<(), Failure> {
    let (got, wanted) = match row {
        "put" => {
            let request = CreateOrUpdateKeyRequest::builder().key("bench/put").build();
            let done = consul.create_or_update_key(request, b"12345".to_vec()).await?.0;
            ((done.into(), 1), (1, 1))
        }
        "list" => (read(consul, "bench/list/", true).await?, (LISTED_BYTES, LISTED)),
        "big" => (read(consul, "bench/big", false).await?, (BIG, 1)),
        _ => (read(consul, "bench/small", false).await?, (5, 1)),
    };
    if got == wanted { Ok(()) } else { Err("the answer is not what was written".into()) }
}

/// For so long, or so often.
#[derive(Clone, Copy)]
enum Limit {
    Time(Duration),
    Calls(u64),
}

async fn run(consul: Arc<Consul>, row: String, limit: Limit) -> Result<u64, Failure> {
    let began = Instant::now();
    let mut done = 0;
    loop {
        call(&consul, &row).await?;
        done += 1;
        let over = match limit {
            Limit::Time(time) => began.elapsed() >= time,
            Limit::Calls(calls) => done >= calls,
        };
        if over {
            return Ok(done);
        }
    }
}

async fn all(consul: &Arc<Consul>, row: &str, limit: Limit) -> Result<u64, Failure> {
    let count = if row == "get32" { TASKS } else { 1 };
    let tasks: Vec<_> =
        (0..count).map(|_| tokio::spawn(run(consul.clone(), row.to_owned(), limit))).collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(done)
}

fn cpu() -> f64 {
    // SAFETY: zeroes are a value of this plain C struct, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, row, unit, amount] = &arguments[..] else {
        return Err("arguments: get|put|get32|list|big seconds|calls N".into());
    };
    let (warm, limit) = match unit.as_str() {
        "calls" => (Limit::Calls(1), Limit::Calls(amount.parse()?)),
        _ => {
            let seconds: f64 = amount.parse()?;
            let time = |seconds| Limit::Time(Duration::from_secs_f64(seconds));
            (time(seconds / 10.0), time(seconds))
        }
    };
    let mut config = Config::from_env();
    config.hyper_builder = Client::builder(TokioExecutor::new());
    let consul = Arc::new(Consul::new(config));
    all(&consul, row, warm).await?;
    let (began, used) = (Instant::now(), cpu());
    let done = all(&consul, row, limit).await?;
    println!("{done} {:.6} {:.6}", began.elapsed().as_secs_f64(), cpu() - used);
    Ok(())
}
