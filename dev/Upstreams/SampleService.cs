using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Faults;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bff.Dev.Upstreams;

/// <summary>One service of the contract: its endpoints, what goes wrong with it, and who called.</summary>
public abstract class SampleService(string name)
{
    internal const int MaxRequestBytes = 1024 * 1024;

    public string Name { get; } = name;
    public Uri Address { get; internal set; } = new("http://127.0.0.1:0");
    public FaultSwitch Faults { get; } = new();
    public CallLog Calls { get; } = new();

    internal virtual HttpProtocols Protocols => HttpProtocols.Http1;

    /// <summary>Answers one request; faults and recording are the caller's business.</summary>
    internal abstract Task HandleAsync(Exchange exchange);

    /// <summary>Whether a request's body is read before it is answered; a stream of messages is not.</summary>
    internal virtual bool ReadsBody(HttpRequest request) => true;

    /// <summary>Puts back what requests have changed.</summary>
    internal virtual void ResetData() { }
}
