using System.Reflection;
using System.Text.Json.Serialization;
using Bff.Requests;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// A call that changes something and has not been made yet. It is not an <see cref="UpstreamCall{T}"/>, so a composition accepts it only as
/// a write and does not cache, replace or cancel it like a read.
/// </summary>
/// <typeparam name="T">The type that the answer is read as; <see cref="NoContent"/> if there is no document.</typeparam>
public sealed class UpstreamWrite<T>
{
    internal UpstreamWrite(UpstreamCall<T> call) => Call = call;

    internal UpstreamCall<T> Call { get; }

    /// <inheritdoc cref="UpstreamCall{T}.For"/>
    public ValueTask<UpstreamAnswer<T>> For(BffRequest request, TimeSpan timeout, CancellationToken cancellation) =>
        Call.For(request, timeout, cancellation);

    /// <summary>Returns the same write with the value of its answer in the client's shape.</summary>
    /// <param name="project">Converts the service's document.</param>
    public UpstreamWrite<TOther> As<TOther>(Func<T, TOther> project) => new(Call.As(project));
}

/// <summary>
/// Converts the methods of a Refit interface into <see cref="UpstreamWrite{T}"/>, as <see cref="DeclaredCalls{T}"/> does for reads.
/// </summary>
/// <typeparam name="T">The type that the answer is read as.</typeparam>
/// <param name="json">Source-generated metadata of the host's upstream documents.</param>
public abstract class DeclaredWrites<T>(JsonSerializerContext json) : IReturnTypeAdapter<UpstreamWrite<T>, HttpResponseMessage>
{
    /// <inheritdoc />
    public UpstreamWrite<T> Adapt(Func<CancellationToken, Task<HttpResponseMessage>> invoke) => new(new DeclaredCall<T>(invoke, json));
}

/// <summary>Checks the methods of a typed client once, when it is registered.</summary>
internal static class DeclaredMethods
{
    /// <summary>Whether one of the methods writes with an idempotency key, so that it may be repeated.</summary>
    /// <exception cref="InvalidOperationException">A method that reads returns a write, or one that writes returns a read.</exception>
    public static bool HaveKeyedWrite(IEnumerable<MethodInfo> methods)
    {
        var isKeyed = false;
        foreach (var method in methods)
        {
            if (method.GetCustomAttribute<HttpMethodAttribute>() is not { Method: var verb } || !method.ReturnType.IsGenericType)
            {
                continue;
            }

            var given = method.ReturnType.GetGenericTypeDefinition();
            var isRead = verb == HttpMethod.Get || verb == HttpMethod.Head || verb == HttpMethod.Options || IsQuery(method.ReturnType);
            if (isRead ? given == typeof(UpstreamWrite<>) : given == typeof(UpstreamCall<>))
            {
                throw new InvalidOperationException(
                    $"{method.DeclaringType!.Name}.{method.Name} {(isRead ? "reads: it gives an UpstreamCall" : "writes: it gives an UpstreamWrite")} of its answer."
                );
            }

            isKeyed |=
                !isRead
                && method
                    .GetParameters()
                    .Any(p =>
                        p.GetCustomAttribute<HeaderAttribute>()?.Header.Equals("Idempotency-Key", StringComparison.OrdinalIgnoreCase)
                        == true
                    );
        }

        return isKeyed;
    }

    private static bool IsQuery(Type given) =>
        given.GenericTypeArguments[0] is { IsGenericType: true } document && document.GetGenericTypeDefinition() == typeof(GraphQlAnswer<>);
}
