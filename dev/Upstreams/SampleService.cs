using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Faults;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bff.Dev.Upstreams;

/// <summary>One service of the contract: its endpoints, its faults and its recorded calls.</summary>
public abstract class SampleService(string name)
{
    internal const int MaxRequestBytes = 1024 * 1024;

    public string Name { get; } = name;
    public Uri Address { get; internal set; } = new("http://127.0.0.1:0");
    public FaultSwitch Faults { get; } = new();
    public CallLog Calls { get; } = new();

    internal virtual HttpProtocols Protocols => HttpProtocols.Http1;

    /// <summary>Answers one request; the caller handles faults and recording.</summary>
    internal abstract Task HandleAsync(Exchange exchange);

    /// <summary>Whether a request's body is read before the request is answered; not the case for a stream of messages.</summary>
    internal virtual bool ReadsBody(HttpRequest request) => true;

    /// <summary>Restores the initial data.</summary>
    internal virtual void ResetData() { }
}
