using System.Runtime.ExceptionServices;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Composition;

/// <summary>
/// A composition that sends the request's body on while it arrives. 1. Its deadline begins when the last of the body is there: until then
/// the sender is waited for, under the rules of every body; 2. whatever was wrong with the body (broken off, malformed, too large, too
/// slow), the sender is told so (400, 408, 413), and the service is not blamed.
/// </summary>
internal sealed class ArrivingRun : IDisposable
{
    /// <summary>No body takes longer; what bounds it is how fast it must come.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly BffRequest _request;
    private readonly Action _arrived;
    private readonly CancellationTokenSource _failed;
    private ExceptionDispatchInfo? _fault;
    private bool _isOver;

    public ArrivingRun(BffRequest request, Action arrived)
    {
        (_request, _arrived) = (request, arrived);
        _failed = CancellationTokenSource.CreateLinkedTokenSource(request.HttpContext!.RequestAborted);
        (request.BodyFailed, request.BodyArrived) = (_failed, Arrived);
    }

    /// <summary>Cancelled when the sender has gone, or the body turns out to be flawed.</summary>
    public CancellationToken Token => _failed.Token;

    /// <summary>Whether what went wrong is the sender's doing.</summary>
    public bool Takes(Exception fault)
    {
        if (fault is not (BadHttpRequestException or ProblemException))
        {
            return false;
        }

        _fault ??= ExceptionDispatchInfo.Capture(fault);
        return true;
    }

    /// <summary>2.</summary>
    /// <exception cref="BadHttpRequestException">The body was flawed.</exception>
    /// <exception cref="ProblemException">It is larger than it may be.</exception>
    public void ThrowIfFlawed()
    {
        _fault?.Throw();
        if (_request.BodyFault is { } fault)
        {
            throw new BadHttpRequestException(fault.Message, fault.StatusCode, fault);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true; // The deadline's timer may be another request's soon.
        }

        (_request.BodyFailed, _request.BodyArrived) = (null, null);
        _failed.Dispose();
    }

    // 1
    private void Arrived()
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                _arrived();
            }
        }
    }
}
