using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit.Contracts;

/// <summary>
/// One call of a typed client: the request that the service must get, the answer, and the value that the gateway reads from it.
/// </summary>
public sealed class ClientContract
{
    private readonly Func<IServiceProvider, Task<Made>> _make;

    private ClientContract(MethodInfo method, Func<IServiceProvider, Task<Made>> make) => (Method, _make) = (method, make);

    /// <summary>The method that makes the call.</summary>
    public MethodInfo Method { get; }

    /// <summary>Method and target, such as <c>GET /users/u-1</c>.</summary>
    public required string Request { get; init; }

    /// <summary>JSON of the request's body; null if it has none.</summary>
    public string? Body { get; init; }

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Headers that the request must have, besides the request id that every call has.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The answer's body; empty for 204.</summary>
    public required string Answer { get; init; }

    /// <summary>Media type of the answer.</summary>
    public string Type { get; init; } = "application/json";

    /// <summary>Comma-separated members without which the answer is invalid; it stays valid without any other.</summary>
    public string Required { get; init; } = "";

    /// <summary>The value that is read from the answer.</summary>
    public required object Value { get; init; }

    /// <summary>Names of the client and its method.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";

    /// <summary>Describes a call of a client and the answer to it.</summary>
    public static ClientContract Of<TClient, T>(
        Expression<Func<TClient, UpstreamCall<T>>> call,
        string request,
        string answer,
        T value,
        string required = "",
        string? body = null,
        string type = "application/json",
        params (string Name, string Value)[] headers
    )
        where TClient : class
        where T : class
    {
        ArgumentNullException.ThrowIfNull(call);
        var declare = call.Compile();
        return New<TClient, T>(
            call,
            (client, request) => declare(client).For(request, Longest, CancellationToken.None),
            request,
            answer,
            value,
            required,
            body,
            type,
            headers
        );
    }

    /// <summary>Describes a write of a client and the answer to it.</summary>
    public static ClientContract Of<TClient, T>(
        Expression<Func<TClient, UpstreamWrite<T>>> call,
        string request,
        string answer,
        T value,
        string required = "",
        string? body = null,
        string type = "application/json",
        params (string Name, string Value)[] headers
    )
        where TClient : class
        where T : class
    {
        ArgumentNullException.ThrowIfNull(call);
        var declare = call.Compile();
        return New<TClient, T>(
            call,
            (client, request) => declare(client).For(request, Longest, CancellationToken.None),
            request,
            answer,
            value,
            required,
            body,
            type,
            headers
        );
    }

    private static ClientContract New<TClient, T>(
        LambdaExpression call,
        Func<TClient, BffRequest, ValueTask<UpstreamAnswer<T>>> make,
        string request,
        string answer,
        T value,
        string required,
        string? body,
        string type,
        (string Name, string Value)[] headers
    )
        where TClient : class
        where T : class =>
        new(
            ((MethodCallExpression)call.Body).Method,
            async services =>
            {
                var made = await make(
                    services.GetRequiredService<TClient>(),
                    new BffRequest
                    {
                        RequestId = "r-1",
                        CorrelationId = "c-1",
                        StartTimestamp = 0,
                    }
                );
                return new(made.Outcome, made.Status, Comparable(made.Value));
            }
        )
        {
            Request = request,
            Answer = answer,
            Value = Comparable(value)!,
            Required = required,
            Body = body,
            Type = type,
            Headers = headers.ToDictionary(h => h.Name, h => h.Value),
        };

    internal Task<Made> Make(IServiceProvider services) => _make(services);

    private static object? Comparable(object? value) =>
        value is UpstreamFile file ? (Encoding.Latin1.GetString(file.Content.Span), file.MediaType) : value;

    /// <summary>The result of the call.</summary>
    internal sealed record Made(UpstreamOutcome Outcome, int Status, object? Value);
}
