using System.Diagnostics;
using System.Net;
using System.Text;

namespace Bff.TestKit.Telemetry;

/// <summary>
/// An OpenTelemetry collector on loopback (OTLP over HTTP), which shows what a host really exports. Does not use Kestrel, because its spans
/// would be exported too.
/// </summary>
public sealed class OtlpCollector : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<CollectedSpan> _spans = [];
    private readonly Dictionary<string, CollectedMetric> _metrics = [];
    private readonly List<CollectedLog> _logs = [];
    private readonly Dictionary<string, (long At, string Lines)> _senders = [];
    private readonly HttpListener _listener;
    private readonly Task _receiving;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OtlpCollector(HttpListener listener, int port)
    {
        _listener = listener;
        Endpoint = $"http://127.0.0.1:{port}";
        _receiving = Task.Run(Receive);
    }

    public string Endpoint { get; }

    /// <summary>How long a sender stays on the page for Prometheus (<c>GET /metrics</c>) after its last export.</summary>
    public TimeSpan MetricExpiration { get; private init; }

    /// <summary>Settings with which a host exports to it, soon after each request.</summary>
    public Dictionary<string, string?> Settings =>
        new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Endpoint,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "50",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "100",
        };

    public static OtlpCollector Start(TimeSpan? metricExpiration = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort.Next();
            var listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
            try
            {
                listener.Start();
                return new OtlpCollector(listener, port) { MetricExpiration = metricExpiration ?? TimeSpan.FromMinutes(2) };
            }
            catch (HttpListenerException) when (attempt < 3)
            {
                listener.Close(); // Another process took the port in between.
            }
        }
    }

    /// <summary>Waits until the received spans of one trace satisfy a condition.</summary>
    public Task<IReadOnlyList<CollectedSpan>> Trace(string traceId, Func<IReadOnlyList<CollectedSpan>, bool> complete) =>
        Until<IReadOnlyList<CollectedSpan>>(
            $"The trace {traceId}",
            () => _spans.Where(s => s.TraceId == traceId).ToList() is var spans && complete(spans) ? spans : null
        );

    /// <summary>Waits until the latest state of one metric satisfies a condition.</summary>
    public Task<CollectedMetric> Metric(string name, Func<CollectedMetric, bool>? complete = null) =>
        Until(name, () => _metrics.TryGetValue(name, out var metric) && complete?.Invoke(metric) != false ? metric : null);

    /// <summary>Waits for the first log entry that satisfies a condition.</summary>
    public Task<CollectedLog> Log(Func<CollectedLog, bool> wanted) => Until("The log entry", () => _logs.FirstOrDefault(wanted));

    public IReadOnlyList<CollectedSpan> Spans
    {
        get
        {
            lock (_gate)
            {
                return [.. _spans];
            }
        }
    }

    /// <summary>Forgets all received metrics, so that the next one is still being exported.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _metrics.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Close();
        _receiving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task<T> Until<T>(string missing, Func<T?> found)
        where T : class
    {
        using var timeLimit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            Task next;
            lock (_gate)
            {
                if (found() is { } result)
                {
                    return result;
                }

                next = _arrived.Task;
            }

            try
            {
                await next.WaitAsync(timeLimit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{missing} has not arrived. {Seen()}");
            }
        }
    }

    private string Seen()
    {
        lock (_gate)
        {
            return string.Join(
                '\n',
                _metrics
                    .Values.SelectMany(m => m.Points.Select(p => $"{m.Name} {string.Join(' ', p)}"))
                    .Concat(_spans.Select(s => $"{s.TraceId} {s.Kind} {s.Name}"))
            );
        }
    }

    private async Task Receive()
    {
        while (_listener.IsListening)
        {
            try
            {
                var exchange = await _listener.GetContextAsync();
                if (exchange.Request.Url!.AbsolutePath == "/metrics")
                {
                    exchange.Response.ContentType = "text/plain; version=0.0.4";
                    exchange.Response.Close(Encoding.UTF8.GetBytes(Page()), willBlock: true);
                    continue;
                }

                using var body = new MemoryStream();
                await exchange.Request.InputStream.CopyToAsync(body);
                Take(exchange.Request.Url!.AbsolutePath, body.ToArray());
                exchange.Response.StatusCode = 200;
                exchange.Response.Close();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException or IOException)
            {
                // A client disconnected, or the collector stopped, which IsListening shows.
            }
        }
    }

    private void Take(string path, byte[] body)
    {
        lock (_gate)
        {
            if (path == "/v1/traces")
            {
                _spans.AddRange(OtlpReader.Spans(body));
            }
            else if (path == "/v1/logs")
            {
                _logs.AddRange(OtlpReader.Logs(body));
            }
            else
            {
                foreach (var (sender, lines) in PrometheusPage.Of(body))
                {
                    _senders[sender] = (Stopwatch.GetTimestamp(), lines);
                }

                // Several hosts in one process each have a meter with the same name.
                foreach (var metric in OtlpReader.Metrics(body).GroupBy(m => m.Name))
                {
                    _metrics[metric.Key] = metric.First() with { Points = [.. metric.SelectMany(m => m.Points)] };
                }
            }

            _arrived.SetResult();
            _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private string Page()
    {
        lock (_gate)
        {
            return string.Concat(_senders.Values.Where(s => Stopwatch.GetElapsedTime(s.At) < MetricExpiration).Select(s => s.Lines));
        }
    }
}
