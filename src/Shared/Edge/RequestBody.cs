using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Reads a request's whole body once, so that it can be hashed, parsed and sent again.</summary>
public static class RequestBody
{
    /// <summary>Maximum time for a whole body to arrive, even if it arrives steadily. A larger body has this time for each MiB.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Whether the request has a body, of any media type and even of unknown length, for operations that take none.</summary>
    public static bool IsSent(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Request.ContentLength is { } length
            ? length > 0
            : context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
    }

    /// <summary>
    /// Returns the body's bytes, at most as many as <see cref="BodyLimit"/> allows. A second call and later readers of
    /// <see cref="HttpRequest.Body"/> get the same bytes.
    /// </summary>
    /// <exception cref="ProblemException">413 <c>payload_too_large</c>.</exception>
    /// <exception cref="BadHttpRequestException">The body broke off, is too slow or has wrong framing. The edge responds with a
    /// problem.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpContext context, CancellationToken cancellationToken)
    {
        var held = await Hold(context, cancellationToken);
        return held.Length <= Array.MaxLength
            ? await held.ToMemory(cancellationToken)
            : throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
    }

    /// <summary>Reads the body, and keeps a large one outside memory.</summary>
    internal static async ValueTask<HeldBody> Hold(HttpContext context, CancellationToken cancellationToken)
    {
        var known = BffRequest.Of(context);
        if (known.Held is { } earlier)
        {
            return earlier;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { MaxRequestBodySize: null, IsReadOnly: false } unlimited)
        {
            unlimited.MaxRequestBodySize = known.PlanBytes ?? BodyLimit.DefaultBytes; // A body of any size may be streamed, but not held.
        }

        if (BodyLimit.IsExceeded(context))
        {
            throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
        }

        using var idle = new CancellationTokenSource(IdleTimeout, context.RequestServices.GetRequiredService<TimeProvider>());
        // A client that breaks off ends the read anyway, with an error that it is told if it still reads. Cancelling as well would make the
        // outcome a race.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken == context.RequestAborted ? default : cancellationToken,
            idle.Token
        );
        try
        {
            var held = await HeldBody.Read(
                context.Request.Body,
                context.Request.ContentLength,
                () => idle.CancelAfter(IdleTimeout),
                either.Token
            );
            context.Response.RegisterForDispose(held);
            context.Request.Body = held.AsStream();
            known.Held = held;
            known.BodyTimestamp = context.RequestServices.GetRequiredService<TimeProvider>().GetTimestamp();
        }
        catch (OperationCanceledException) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw known.Fail(TooSlow());
        }

        if (known.Place is { } place)
        {
            await place.StepIn(cancellationToken);
        }

        return known.Held;
    }

    /// <summary>The error for a body that arrives too slowly: 408 <c>request_timeout</c>.</summary>
    internal static BadHttpRequestException TooSlow() => new("The body did not arrive in time.", StatusCodes.Status408RequestTimeout);
}
