using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit.Contracts;

/// <summary>One call of a typed client: what the service must get, what it answers, and what the gateway reads of that.</summary>
public sealed class ClientContract
{
    private readonly Func<IServiceProvider, Task<Made>> _make;

    private ClientContract(MethodInfo method, Func<IServiceProvider, Task<Made>> make) => (Method, _make) = (method, make);

    /// <summary>The method that makes the call.</summary>
    public MethodInfo Method { get; }

    /// <summary>Method and target, such as <c>GET /users/u-1</c>.</summary>
    public required string Request { get; init; }

    /// <summary>JSON of the request's body; null when it has none.</summary>
    public string? Body { get; init; }

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Headers that the request must have, beside the request id that every call has.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The answer's body; empty: 204.</summary>
    public required string Answer { get; init; }

    /// <summary>Its media type.</summary>
    public string Type { get; init; } = "application/json";

    /// <summary>Members of the answer, by commas, without which it is garbage; without any other it is a good answer still.</summary>
    public string Required { get; init; } = "";

    /// <summary>What is read of the answer.</summary>
    public required object Value { get; init; }

    /// <summary>The client and its method.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";

    /// <summary>A call of a client, with what it says in the answer's place.</summary>
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

    /// <summary>The same of a write.</summary>
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

    /// <summary>What came of the call.</summary>
    internal sealed record Made(UpstreamOutcome Outcome, int Status, object? Value);
}
