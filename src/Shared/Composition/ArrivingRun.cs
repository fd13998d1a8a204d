using System.Runtime.ExceptionServices;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Composition;

/// <summary>
/// Runs a composition that forwards the request's body while it arrives. 1. The deadline starts when the whole body has arrived; until then
/// the limits on request bodies apply; 2. a faulty body (broken off, malformed, too large, too slow) is the client's error (400, 408, 413)
/// and does not count against the service.
/// </summary>
internal sealed class ArrivingRun : IDisposable
{
    /// <summary>Upper bound for a body's arrival. In practice the minimum data rate ends a slow body much earlier.</summary>
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

    /// <summary>Cancelled when the client disconnects or the body turns out to be faulty.</summary>
    public CancellationToken Token => _failed.Token;

    /// <summary>Records the fault and returns true when the client's body caused it.</summary>
    public bool Takes(Exception fault)
    {
        if (fault is not (BadHttpRequestException or ProblemException))
        {
            return false;
        }

        _fault ??= ExceptionDispatchInfo.Capture(fault);
        return true;
    }

    /// <summary>2. Throws the fault of the body, if it had one.</summary>
    /// <exception cref="BadHttpRequestException">The body was faulty.</exception>
    /// <exception cref="ProblemException">The body exceeds its size limit.</exception>
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
            _isOver = true; // The deadline's timer is pooled and may soon serve another request.
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
